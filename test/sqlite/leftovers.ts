import Database from 'better-sqlite3';

/** What is neither an object nor waits for its last reader: uploads, and chunks that belong to nothing. */
export function leftoversOf(filename: string): string[] {
  const db = new Database(filename, { readonly: true });
  try {
    return db
      .prepare<[], { left: string }>(
        `SELECT 'upload ' || generation AS left FROM "files$uploads" UNION ALL
         SELECT DISTINCT 'chunks ' || generation FROM "files$chunks"
         WHERE generation NOT IN (SELECT generation FROM "files$uploads" UNION SELECT generation FROM "files$garbage"
           UNION SELECT generation FROM files WHERE generation IS NOT NULL)`,
      )
      .all()
      .map(({ left }) => left);
  } finally {
    db.close();
  }
}
