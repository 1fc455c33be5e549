/** The package has no types of its own. */
declare module 'append-field' {
  /** Adds a value under a name such as `a[b][]`, into objects without a prototype. */
  export default function appendField(store: object, name: string, value: string): void;
}
