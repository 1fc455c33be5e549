import { InvalidArgumentError } from '../contract/index.js';

/** @throws InvalidArgumentError that names an option of which nobody knows: what is misspelled would be without effect, and nobody would be told */
export function refuseUnknown(options: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new InvalidArgumentError(`${name} is not one of the options (${Object.keys(known).join(', ')}).`);
  }
}
