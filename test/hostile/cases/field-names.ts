import { field, file, form } from '../../upload/form.js';
import type { CaseGroup, Expected } from '../run/hostile-case.js';
import { CONTENT, posted, refused, taken } from './kit.js';

const INVALID = refused(400, 'INVALID_FIELD_NAME');
const DEEP = refused(400, 'LIMIT_FIELD_NESTING');
const FAR = refused(400, 'LIMIT_FIELD_ARRAY_INDEX');

/** Names that lead to a prototype, wherever they stand. */
const POLLUTERS = [
  '__proto__',
  '__proto__[polluted]',
  '__proto__[__proto__]',
  'a[__proto__]',
  'a[__proto__][polluted]',
  'a[b][__proto__][polluted]',
  'a[][__proto__]',
  'a[0][__proto__]',
  '__proto__[toString]',
  '__proto__[]',
  '__proto__[0]',
];

/** Names that lead to a prototype only where somebody copies what they came in; Nest on Fastify refuses them. */
const CONSTRUCTORS = [
  'constructor',
  'prototype',
  'constructor[prototype][polluted]',
  'a[constructor][prototype][polluted]',
  'a[constructor][prototype]',
  'prototype[polluted]',
];

/** Names that every object inherits. In a form they are names and no more. */
const INHERITED = [
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__defineGetter__',
  'isPrototypeOf',
  'length',
  'then',
  'toJSON',
];

const nested = (depth: number): string => `a${'[b]'.repeat(depth)}`;

const shapes: readonly (readonly [name: string, expects: Expected])[] = [
  ['a[b][c]', taken([], { a: { b: { c: 'v' } } })],
  ['a[hasOwnProperty]', taken([], { a: { hasOwnProperty: 'v' } })],
  ['a[length]', taken([], { a: { length: 'v' } })],
  ['a[]', taken([], { a: ['v'] })],
  ['a[b', taken([], { 'a[b': 'v' })],
  ['a]b[', taken([], { 'a]b[': 'v' })],
  ['[a]', taken([], { '[a]': 'v' })],
  ['[]', taken([], { '[]': 'v' })],
  ['a[b]c', taken([], { 'a[b]c': 'v' })],
  ['a[-1]', taken([], { a: { '-1': 'v' } })],
  ['a[1e3]', taken([], { a: { '1e3': 'v' } })],
  ['a[1001]', FAR],
  ['a[999999]', FAR],
  ['a[4294967295]', FAR],
  ['a[99999999999999999999]', FAR],
  ['a[b][5000]', FAR],
];

export const fieldNames: CaseGroup = {
  about: 'names of fields',
  cases: [
    ...POLLUTERS.map((name) => posted(`the field ${name}`, '/one', form(field(name, 'x'), file(CONTENT)), INVALID)),
    ...CONSTRUCTORS.map((name) =>
      posted(`the field ${name}`, '/one', form(field(name, 'x')), { status: [201, 400], code: 'INVALID_FIELD_NAME' }),
    ),
    ...INHERITED.map((name) => posted(`the field ${name}`, '/one', form(field(name, 'x')), taken([], { [name]: 'x' }))),
    ...shapes.map(([name, expects]) => posted(`the field ${name}`, '/one', form(field(name, 'v')), expects)),
    posted('the fields a and a[b], which cannot both be', '/one', form(field('a', '1'), field('a[b]', '2')), {
      status: [201, 400],
    }),
    posted('the fields a[] and a[b] and a', '/one', form(field('a[]', '1'), field('a[b]', '2'), field('a', '3')), {
      status: [201, 400],
    }),
    posted('the field a[1000]', '/one', form(field('a[1000]', 'v')), { status: 201 }),
    posted('1,000 fields a[1000]', '/one', form(...Array.from({ length: 1000 }, () => field('a[1000]', 'v'))), {
      status: 201,
    }),
    posted(
      '1,000 fields a[1000], each below another name',
      '/one',
      form(...Array.from({ length: 1000 }, (_, index) => field(`a[b${index}][1000]`, 'v'))),
      {
        status: 201,
      },
    ),
    posted('a field of 32 levels', '/one', form(field(nested(32), 'v')), { status: 201 }),
    posted('a field of 33 levels', '/one', form(field(nested(33), 'v')), DEEP),
    posted('a field of 84 levels, in 253 bytes', '/one', form(field(nested(84), 'v')), DEEP),
    posted('a field of 5,000 levels', '/one', form(field(nested(5000), 'v')), refused(400, 'LIMIT_FIELD_KEY')),
    posted('a field of 250 opening brackets', '/one', form(field('['.repeat(250), 'v')), { status: [201, 400] }),
    posted('a name of 255 bytes', '/one', form(field('n'.repeat(255), 'v')), taken([], { ['n'.repeat(255)]: 'v' })),
    posted('a name of 256 bytes', '/one', form(field('n'.repeat(256), 'v')), refused(400, 'LIMIT_FIELD_KEY')),
    posted(
      'a name of 85 characters of three bytes',
      '/one',
      form(field('漢'.repeat(85), 'v')),
      taken([], { ['漢'.repeat(85)]: 'v' }),
    ),
    posted(
      'a name of 86 characters of three bytes',
      '/one',
      form(field('漢'.repeat(86), 'v')),
      refused(400, 'LIMIT_FIELD_KEY'),
    ),
    posted('a name of 10,000 bytes', '/one', form(field('n'.repeat(10_000), 'v')), refused(400, 'LIMIT_FIELD_KEY')),
    posted(
      'a name of a quote and a line break, as browsers write them',
      '/one',
      form(field('a%22b%0D%0Ac', 'v')),
      taken([], { 'a"b\r\nc': 'v' }),
    ),
    posted('a name of an emoji', '/one', form(field('😀', 'v')), taken([], { '😀': 'v' })),
    posted('a name of a space', '/one', form(field(' ', 'v')), taken([], { ' ': 'v' })),
    posted('a file under __proto__', '/one', form(file(CONTENT, '__proto__')), { status: 400 }),
    posted(
      'a file under constructor',
      '/one',
      form(file(CONTENT, 'constructor')),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted('a file under __proto__, where every field is taken', '/any', form(file(CONTENT, '__proto__')), {
      status: [201, 400],
      code: 'INVALID_FIELD_NAME',
    }),
    posted('a file under constructor, where every field is taken', '/any', form(file(CONTENT, 'constructor')), {
      ...taken([{ data: CONTENT }]),
      status: [201, 400],
    }),
    posted(
      'a file under hasOwnProperty, where some fields are taken',
      '/fields',
      form(file(CONTENT, 'hasOwnProperty')),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted('a file under __proto__, where some fields are taken', '/fields', form(file(CONTENT, '__proto__')), {
      status: 400,
    }),
    posted(
      'a file and a text field of one name',
      '/one',
      form(field('file', 'text'), file(CONTENT)),
      taken([{ data: CONTENT }], { file: 'text' }),
    ),
  ],
};
