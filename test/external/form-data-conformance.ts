import 'reflect-metadata';
import { readByBusboy } from './form-data/by-busboy.js';
import { deliveredOf, EchoApplication } from './form-data/by-application.js';
import { readByParser } from './form-data/by-parser.js';
import { DIFFERENCES } from './form-data/differences.js';
import { differenceBetween } from './form-data/reading.js';
import { readVectors } from './form-data/vector.js';

// Sends every vector of simonw/multipart-form-data-conformance through the library's parser and through applications on both platforms,
// and busboy beside them. One argument: the suite's folder. See README.md.
const READERS = ['parser', 'express', 'fastify', 'busboy'] as const;
type Results = Readonly<Record<(typeof READERS)[number], string | undefined>>;

const [suite] = process.argv.slice(2);
if (suite === undefined) throw new Error('Give the folder of simonw/multipart-form-data-conformance.');

const vectors = await readVectors(suite);
const express = await EchoApplication.start('express');
const fastify = await EchoApplication.start('fastify');
const results = new Map<string, Results>();
for (const vector of vectors) {
  const delivered = deliveredOf(vector.parts);
  results.set(vector.id, {
    parser: differenceBetween(vector.parts, readByParser(vector), ['charset', 'encoding']),
    express: differenceBetween(delivered, await express.read(vector), ['encoding']),
    fastify: differenceBetween(delivered, await fastify.read(vector), ['encoding']),
    busboy: differenceBetween(vector.parts, await readByBusboy(vector), ['encoding']),
  });
}
await Promise.all([express.close(), fastify.close()]);

const width = Math.max(...vectors.map(({ id }) => id.length));
console.log(`${'vector'.padEnd(width)}  ${READERS.map((reader) => reader.padEnd(9)).join('  ')}`);
for (const [id, result] of results) {
  const cells = READERS.map((reader) => (result[reader] === undefined ? 'passed' : 'different').padEnd(9));
  console.log(`${id.padEnd(width)}  ${cells.join('  ')}`);
}
for (const reader of READERS) {
  const passed = [...results.values()].filter((result) => result[reader] === undefined).length;
  console.log(`${reader}: ${passed} of ${results.size} passed, ${results.size - passed} different`);
}

let unexplained = 0;
for (const [id, result] of results) {
  const difference = DIFFERENCES.get(id);
  const explained =
    (result.parser !== undefined) === (difference?.where === 'parser') &&
    (result.express !== undefined) === (difference !== undefined) &&
    result.express === result.fastify;
  if (!explained) unexplained++;
  if (explained && difference === undefined) continue;
  console.log(`\n${id}${explained ? '' : '  NOT AS EXPLAINED'}`);
  for (const reader of READERS) console.log(`  ${reader}: ${result[reader] ?? 'passed'}`);
  if (difference !== undefined) console.log(`  ${difference.reason}`);
}

console.log('\nbusboy alone:');
for (const [id, { busboy }] of results) {
  if (busboy !== undefined && !DIFFERENCES.has(id)) console.log(`  ${id}: ${busboy}`);
}
process.exitCode = unexplained === 0 ? 0 : 1;
