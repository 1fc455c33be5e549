import { fieldNameInvalid } from '../errors/index.js';

/** The text fields of a form: without a prototype, so that a field named `constructor` is a field and nothing else. */
export type FormBody = Record<string, string | string[]>;

export function createFormBody(): FormBody {
  return Object.create(null) as FormBody;
}

/**
 * Adds a text field. A name that comes again makes an array.
 *
 * @throws UploadException for `__proto__`: it would be harmless here, and not in the object that somebody copies this one into
 */
export function addFormField(body: FormBody, name: string, value: string): void {
  if (name === '__proto__') throw fieldNameInvalid(name);
  const earlier = body[name];
  if (earlier === undefined) body[name] = value;
  else if (typeof earlier === 'string') body[name] = [earlier, value];
  else earlier.push(value);
}
