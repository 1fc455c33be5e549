// #region two
import { SQLiteStorage } from 'nestjs-storages/sqlite';

/** Two storages in one file, each in tables of its own. */
export function storagesIn(filename: string): { letters: SQLiteStorage; drafts: SQLiteStorage } {
  return {
    letters: new SQLiteStorage({ filename, tableName: 'letters' }),
    drafts: new SQLiteStorage({ filename, tableName: 'drafts', maxBytes: 100 * 1024 * 1024, durability: 'fast' }),
  };
}

/** After a restore, or every night. */
export async function isSound(storage: SQLiteStorage): Promise<boolean> {
  const { ok, problems } = await storage.check();
  for (const { message } of problems) console.warn(message);
  return ok;
}
// #endregion two
