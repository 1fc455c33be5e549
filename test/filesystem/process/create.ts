// Races for the creation of keys: create.ts <root> <name> <keys> <racers>. Says which of its racers won which key.
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';

const [, , root = '', name = '', keys = '0', racers = '0'] = process.argv;
const storage = new FileSystemStorage({ root, durability: 'fast' });
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
