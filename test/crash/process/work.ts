// Says what is in a store, then changes it in four lanes until it is killed: work.ts <store> <variant> <folder> <seed>
// Says `begin <id> <changes>` before each step and `done <id>` after it.
import { storeNamed } from '../stores/index.js';
import { keysOfAll, Lane } from '../workload/lanes.js';
import { Random } from '../workload/random.js';
import { say, sayInventory } from './say.js';

const [, , name, variant = '', folder = '', seed = '0'] = process.argv;
const store = storeNamed(name);
const storage = store.open(folder, variant);
say('opening');
await storage.open();
const objects = await sayInventory(store, storage, folder, keysOfAll());
say('ready');
const random = new Random(Number(seed));
await Promise.all([0, 1, 2, 3].map((lane) => new Lane(lane, storage, objects, new Random(random.seed()), say).run()));
