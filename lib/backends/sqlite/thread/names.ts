/** The names of a storage's tables, quoted. The `$` keeps them apart from those of a storage with a longer name. */
export interface TableNames {
  readonly objects: string;
  readonly byGeneration: string;
  readonly chunks: string;
  readonly chunksByPosition: string;
  readonly uploads: string;
  readonly garbage: string;
  readonly totals: string;
}

/** @param table an identifier, checked by the configuration */
export function tableNames(table: string): TableNames {
  return {
    objects: `"${table}"`,
    byGeneration: `"${table}$by_generation"`,
    chunks: `"${table}$chunks"`,
    chunksByPosition: `"${table}$chunks_by_position"`,
    uploads: `"${table}$uploads"`,
    garbage: `"${table}$garbage"`,
    totals: `"${table}$totals"`,
  };
}
