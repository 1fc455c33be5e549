import type { Storage } from 'nestjs-storages';

/** A storage, and the names of the methods that it was called by. */
export function recording(inner: Storage): { readonly storage: Storage; readonly calls: string[] } {
  const calls: string[] = [];
  const storage = new Proxy(inner, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        calls.push(String(property));
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
  return { storage, calls };
}

/** All items of a listing. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
