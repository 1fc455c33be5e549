/** Values of somebody else's JSON, checked. Each throws an Error that names the place. */

export function objectIn(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is no object.`);
  return Object.fromEntries(Object.entries(value));
}

export function arrayIn(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${where} is no array.`);
  return value;
}

export function textIn(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Error(`${where} is no string.`);
  return value;
}

/** `null` and what is left out are none. */
export function optionalTextIn(value: unknown, where: string): string | undefined {
  return value === undefined || value === null ? undefined : textIn(value, where);
}
