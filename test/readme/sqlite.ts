// #region sqlite
import { SQLiteStorage } from 'nestjs-storages/sqlite';

export async function inboxOf(filename: string): Promise<SQLiteStorage> {
  const inbox = new SQLiteStorage({ filename });
  await inbox.put('2026/letter.txt', 'Dear Ada', { metadata: { from: 'Charles' } });
  await inbox.backup(`${filename}.backup`); // while it is in use
  await inbox.compact(); // gives the room of deleted objects back
  return inbox;
}
// #endregion
