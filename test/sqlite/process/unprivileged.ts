// Puts an object as a user who is not root, and says how that ended: unprivileged.ts <filename>
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = ''] = process.argv;
const NOBODY = 65_534;
if (process.getuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
const storage = new SQLiteStorage({ filename });
try {
  await storage.put('a', 'new');
  console.log('stored');
} catch (error) {
  const { code, message, retryable } = error as { code?: unknown; message?: unknown; retryable?: unknown };
  console.log(JSON.stringify({ code, message, retryable }));
}
process.exit();
