/** A table of words: the first line names the columns, what stands before two spaces in each other line its row. */
export type Table = ReadonlyMap<string, Readonly<Record<string, string>>>;

export function readTable(text: string): Table {
  const [head = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = head.trim().split(/\s+/);
  return new Map(
    lines.map((line) => {
      const [row = '', cells = ''] = line.trim().split(/\s{2,}(.*)/s);
      const words = cells.split(/\s+/);
      if (words.length !== columns.length) throw new Error(`The row "${row}" has ${words.length} cells.`);
      return [row, Object.fromEntries(columns.map((column, index) => [column, words[index] ?? '']))] as const;
    }),
  );
}

export function writeTable(table: Table): string {
  const [first = {}] = table.values();
  const columns = Object.keys(first);
  const widths = columns.map((column) =>
    Math.max(column.length, ...Array.from(table.values(), (row) => row[column]?.length ?? 0)),
  );
  const line = (name: string, words: readonly string[]): string =>
    [name.padEnd(20), ...words.map((word, index) => word.padEnd(widths[index] ?? 0))].join('  ').trimEnd();
  const rows = Array.from(table, ([name, row]) =>
    line(
      name,
      columns.map((column) => row[column] ?? ''),
    ),
  );
  return [line('', columns), ...rows, ''].join('\n');
}
