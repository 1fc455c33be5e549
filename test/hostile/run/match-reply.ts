import { isDeepStrictEqual } from 'node:util';
import type { Reply } from '../client/connection.js';
import { sha1 } from '../server/upload-store.js';
import type { Expected, ExpectedFile } from './hostile-case.js';

const SHOWN = 300;

/** What is wrong with the answers of a case; empty where nothing is. */
export function mismatches(replies: readonly Reply[], expects: Expected | readonly Expected[]): string[] {
  if (!isList(expects)) return [...new Set(replies.flatMap((reply) => mismatch(reply, expects)))];
  const wrong = replies.flatMap((reply, index) => {
    const expected = expects[index];
    return expected === undefined ? [`there is one answer too many: ${show(reply)}`] : mismatch(reply, expected);
  });
  return replies.length < expects.length ? [...wrong, `there are only ${replies.length} answers`] : wrong;
}

function isList(expects: Expected | readonly Expected[]): expects is readonly Expected[] {
  return Array.isArray(expects);
}

function mismatch(reply: Reply, expected: Expected): string[] {
  const wrong: string[] = [];
  const holds = (what: string, found: unknown, wanted: unknown): void => {
    if (!isDeepStrictEqual(found, wanted)) {
      wrong.push(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}, in ${show(reply)}`);
    }
  };
  const statuses = [expected.status].flat();
  if (!statuses.includes(reply.status)) wrong.push(`the status is not ${statuses.join(' or ')}, in ${show(reply)}`);
  const body = recordOf(reply.body);
  const taken = reply.status === 201;
  if (expected.code !== undefined && !taken && reply.status !== 'closed') {
    holds('the code', body['code'], expected.code);
    const named = 'field' in body ? ['field'] : [];
    holds('the body', Object.keys(body).sort(), ['code', 'error', ...named, 'message', 'statusCode']);
    holds('the statusCode', body['statusCode'], reply.status);
  }
  if (expected.message !== undefined && !expected.message.test(String(body['message']))) {
    wrong.push(`the message does not match ${String(expected.message)}, in ${show(reply)}`);
  }
  if (expected.connection !== undefined && reply.status !== 'closed') {
    holds('Connection', reply.headers.get('connection') ?? 'keep-alive', expected.connection);
  }
  if (expected.fields !== undefined && taken) holds('the body of the form', body['body'], expected.fields);
  if (expected.files !== undefined && taken) {
    const files = Array.isArray(body['files']) ? body['files'].map(recordOf) : [];
    holds('the number of files', files.length, expected.files.length);
    expected.files.forEach((file, index) => {
      for (const [property, value] of Object.entries(propertiesOf(file))) {
        holds(`${property} of file ${index}`, files[index]?.[property], value);
      }
    });
  }
  return wrong;
}

function propertiesOf({ data, ...properties }: ExpectedFile): object {
  if (data === undefined) return properties;
  return { ...properties, size: Buffer.byteLength(data), sha1: sha1(data) };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function show({ status, text }: Reply): string {
  return `${status}: ${text.slice(0, SHOWN)}`;
}
