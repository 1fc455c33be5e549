import appendField from 'append-field';
import { fieldIndexTooLarge, fieldNameInvalid, fieldNestedTooDeep } from '../errors/index.js';
import type { ResolvedLimits } from '../upload-rules.js';

/** The text fields of a form: without a prototype, so that a field named `constructor` is a field and nothing else. */
export type FormBody = Record<string, unknown>;

export function createFormBody(): FormBody {
  return Object.create(null) as FormBody;
}

/** A name that append-field reads as a path; any other one is a literal key, whatever brackets it has. */
const PATH = /^[^[]+(?:\[[^\]]+\])*(?:\[\])?$/;
const INDEX = /\[(\d+)\]/g;

/**
 * Adds a text field as multer does, by the same library: `a[b]` makes an object, `a[]` and `a[0]` make an array, and so does a name that comes
 * again.
 *
 * @throws UploadException for a name that is nested too deep, has too large an index, or speaks of `__proto__`: that would be harmless
 * here, and not in the object that somebody copies this one into
 */
export function addFormField(
  body: FormBody,
  name: string,
  value: string,
  { fieldNestingDepth, fieldArrayIndexLimit }: Pick<ResolvedLimits, 'fieldNestingDepth' | 'fieldArrayIndexLimit'>,
): void {
  if (name === '__proto__' || name.startsWith('__proto__[') || name.includes('[__proto__]')) {
    throw fieldNameInvalid(name);
  }
  if (name.includes('[')) {
    if (name.split('[').length - 1 > fieldNestingDepth) throw fieldNestedTooDeep(name, fieldNestingDepth);
    if (PATH.test(name)) {
      for (const [, index] of name.matchAll(INDEX)) {
        if (Number(index) > fieldArrayIndexLimit) throw fieldIndexTooLarge(name, fieldArrayIndexLimit);
      }
    }
  }
  try {
    appendField(body, name, value);
  } catch {
    throw fieldNameInvalid(name);
  }
}

/**
 * Closes the gaps that an index leaves before it (`tags[7]`), in the order of the values, as Nest does with multer's body: what copies an
 * array, class-transformer for one, skips them, and a handler would get another array than was validated.
 */
export function closeArrayGaps(body: FormBody): void {
  // no recursion: the depth may be lifted
  const pending: unknown[] = [body];
  while (pending.length > 0) {
    const container = pending.pop();
    if (typeof container !== 'object' || container === null) continue;
    const values: unknown[] = Object.values(container);
    if (Array.isArray(container) && values.length < container.length) {
      // the values one by one, and then the length: splice() would walk through every gap, of which there may be billions, and a spread
      // of many values does not fit on the stack
      values.forEach((value, index) => {
        container[index] = value;
      });
      container.length = values.length;
    }
    for (const value of values) pending.push(value);
  }
}
