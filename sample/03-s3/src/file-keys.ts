import { randomUUID } from 'node:crypto';
import { BadRequestException } from '@nestjs/common';

/** Where browsers put; what lies here belongs to nobody yet. */
export const INCOMING = 'incoming/';
/** What is shown and handed out. */
export const FILES = 'files/';

const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const KEY = new RegExp(`^(?:${INCOMING}|${FILES})(?<rest>${ID}/(?<name>[^/]+))$`);

/** A key that nobody can guess. The name is its end, since a listing of S3 tells keys and no metadata. */
export function newKey(folder: typeof INCOMING | typeof FILES, name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  if (/^\.{0,2}$/.test(base)) throw new BadRequestException('A file needs a name.');
  return `${folder}${randomUUID()}/${base}`;
}

/** The name that a file had on its owner's disk, and where it lies once it is confirmed. */
export function readKey(key: string): { readonly name: string; readonly final: string } {
  const { rest, name } = KEY.exec(key)?.groups ?? {};
  if (rest === undefined || name === undefined) throw new BadRequestException('There is no such key here.');
  return { name, final: FILES + rest };
}
