// Races for the creation of keys: create.ts <filename> <name> <keys> <racers>. Says which of its racers won which key.
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = '', name = '', keys = '0', racers = '0'] = process.argv;
const storage = new SQLiteStorage({ filename, durability: 'fast' });
await storage.open();
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));

const won: string[] = [];
for (let k = 0; k < Number(keys); k++) {
  await Promise.all(
    Array.from({ length: Number(racers) }, async (_, i) => {
      const body = `${name}-${i}`;
      try {
        await storage.put(`race/${k}`, body, { ifNoneMatch: '*', metadata: { winner: body } });
        won.push(`${k}:${body}`);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'FILE_EXISTS') throw error;
      }
    }),
  );
}
await storage.close();
console.log(JSON.stringify(won));
process.stdin.destroy();
