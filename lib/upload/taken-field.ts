import { ConfigurationError } from '../contract/index.js';

/** A field of a form that takes files. */
export interface StorageFileField {
  readonly name: string;
  /** How many files it takes at most. Default: no limit but those of the options. */
  readonly maxCount?: number | undefined;
}

/** @throws ConfigurationError for what is no name */
export function checkFieldName(where: string, name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new ConfigurationError(`${where} needs the name of a form's field.`);
}

/** @throws ConfigurationError for what is no count */
export function checkCount(where: string, maxCount: number | undefined): number {
  if (maxCount === undefined || maxCount === Infinity) return Infinity;
  if (Number.isSafeInteger(maxCount) && maxCount >= 1) return maxCount;
  throw new ConfigurationError(`maxCount of ${where} must be a whole number of at least 1.`);
}

/** @throws ConfigurationError for what are no fields, and for a name that comes twice */
export function checkFields(
  where: string,
  fields: readonly StorageFileField[],
): { readonly name: string; readonly maxCount: number }[] {
  const names = new Set<string>();
  if (!Array.isArray(fields) || fields.length === 0) {
    throw new ConfigurationError(`${where} needs an array of fields: [{ name: 'avatar', maxCount: 1 }].`);
  }
  return fields.map((field: StorageFileField | null | undefined) => {
    const name = checkFieldName(`Each field of ${where}`, field?.name);
    if (names.has(name)) throw new ConfigurationError(`${where} has the field ${JSON.stringify(name)} twice.`);
    names.add(name);
    return { name, maxCount: checkCount(`${JSON.stringify(name)} in ${where}`, field?.maxCount) };
  });
}
