// Works on a store beside a neighbour until it is killed or told to end: contend.ts <store> <variant> <folder> <seed> <slot>
// As the slot `judge` it says what is there, and ends.
import { once } from 'node:events';
import { storeNamed } from '../stores/index.js';
import { Contender } from '../two/contender.js';
import { keysOfBoth, SLOTS } from '../two/keys.js';
import { Random } from '../workload/random.js';
import { say, sayInventory } from './say.js';

const [, , name, variant = '', folder = '', seed = '0', place] = process.argv;
const slot = SLOTS.find((candidate) => candidate === place);
const store = storeNamed(name);
const storage = store.open(folder, variant);
await storage.open();
if (slot === undefined) {
  await sayInventory(store, storage, folder, keysOfBoth());
} else {
  const contender = new Contender(store, storage, slot, new Random(Number(seed)), say);
  void once(process.stdin, 'data').then(() => {
    contender.stop();
  });
  await contender.run();
}
await storage.close();
say('ended');
process.exit();
