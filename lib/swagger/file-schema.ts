import type { Type } from '@nestjs/common';
import { getSchemaPath } from '@nestjs/swagger';
import { parseAllowedTypes } from '../upload/file/allowed-types.js';
import { mergeOptions, staticPartOf, type StaticFieldOptions } from '../upload/resolve-upload-options.js';
import type { UploadOptions } from '../upload/index.js';

/** A field of a form as it is described. */
export interface DescribedField {
  readonly name: string;
  /** Most files; undefined: one, not an array. */
  readonly maxCount?: number | undefined;
  readonly required: boolean;
  readonly description: string;
  /** Media types and groups, for `encoding`; undefined: any. */
  readonly contentType: string | undefined;
}

export interface SaidOfField {
  readonly maxCount?: number | undefined;
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
}

const BINARY = { type: 'string', format: 'binary' } as const;

/** What is said of a field, over what the interceptor's options say of it. */
export function describeField(name: string, said: SaidOfField, upload: UploadOptions | undefined): DescribedField {
  const known = staticPartOf(upload ?? {});
  const { fields = {}, ...ofAll } = known;
  const options = mergeOptions<StaticFieldOptions>(ofAll, Object.hasOwn(fields, name) ? fields[name] : undefined);
  return {
    name,
    maxCount: said.maxCount,
    required: said.required ?? options.required ?? false,
    description: [said.description, boundsOf(options)].filter((part) => part !== undefined && part !== '').join(' '),
    contentType: contentTypeOf(options.allowedTypes),
  };
}

/** In words: a schema has no bound for binary strings, whose lengths are those of characters. */
export function boundsOf({ limits, allowedTypes }: Pick<StaticFieldOptions, 'limits' | 'allowedTypes'>): string {
  const { fileSize = Infinity, minFileSize = 0 } = limits ?? {};
  const said = [
    ...(minFileSize > 0 ? [`at least ${bytes(minFileSize)}`] : []),
    ...(fileSize < Infinity ? [`at most ${bytes(fileSize)}`] : []),
    ...(allowedTypes === undefined ? [] : [`of the types ${[allowedTypes].flat().join(', ')}, by its bytes`]),
  ];
  return said.length === 0 ? '' : `A file of ${said.join(', ').replace(/^of /, '')}.`;
}

export function contentTypeOf(allowedTypes: StaticFieldOptions['allowedTypes']): string | undefined {
  if (allowedTypes === undefined) return undefined;
  const { types, groups } = parseAllowedTypes('allowedTypes', allowedTypes);
  return [...types, ...groups.map((group) => `${group}*`)].join(', ');
}

/** The body of a form: its files, and the text fields of a class beside them. */
export function formSchema(fields: readonly DescribedField[], texts: object, body: Type | undefined): object {
  const files = {
    type: 'object',
    properties: { ...Object.fromEntries(fields.map((field) => [field.name, fileSchema(field)])), ...texts },
    ...requiredIn(fields),
  };
  return body === undefined ? files : { allOf: [{ $ref: getSchemaPath(body) }, files] };
}

/** Which types a client may send, by field. They are decided by the bytes. */
export function encodingOf(fields: readonly DescribedField[]): Readonly<Record<string, { contentType: string }>> {
  return Object.fromEntries(
    fields.flatMap(({ name, contentType }) => (contentType === undefined ? [] : [[name, { contentType }] as const])),
  );
}

function fileSchema({ maxCount, description }: DescribedField): object {
  const said = description === '' ? {} : { description };
  if (maxCount === undefined) return { ...BINARY, ...said };
  return { type: 'array', items: BINARY, ...(maxCount < Infinity ? { maxItems: maxCount } : undefined), ...said };
}

function requiredIn(fields: readonly DescribedField[]): { readonly required?: readonly string[] } {
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  // an empty list is no schema of OpenAPI 3.0
  return required.length === 0 ? {} : { required };
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`;
}
