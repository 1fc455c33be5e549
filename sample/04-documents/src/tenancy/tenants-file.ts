import { readFile } from 'node:fs/promises';
import { plainToInstance } from 'class-transformer';
import { ArrayMinSize, IsArray, IsInt, Matches, Min, validate } from 'class-validator';

/** What `tenants.json` says of one tenant. */
export class TenantEntry {
  /** SHA-256 digests of API keys, in lower-case hex. Several, so that a key can be replaced without a moment in which none works. */
  @IsArray()
  @ArrayMinSize(1)
  @Matches(/^[0-9a-f]{64}$/, { each: true, message: 'keys must be SHA-256 digests in lower-case hex' })
  readonly keys!: readonly string[];

  @IsInt()
  @Min(1)
  readonly fileBytes!: number;

  @IsInt()
  @Min(1)
  readonly totalBytes!: number;
}

/** It stands in keys, so it must not hold what has a meaning there: no `/`, no `.`, and no upper case where the disk folds it. */
const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** @throws Error that names the file and says what is wrong with it */
export async function readTenantsFile(path: string): Promise<ReadonlyMap<string, TenantEntry>> {
  const parsed = parse(path, await readText(path));
  const entries = new Map<string, TenantEntry>();
  for (const [id, plain] of Object.entries(parsed)) {
    if (!ID.test(id)) {
      throw new Error(`${path}: ${JSON.stringify(id)} must be of a-z, 0-9 and -, and at most 63 of them.`);
    }
    if (!isRecord(plain)) throw new Error(`${path}: ${id} must be an object with keys, fileBytes and totalBytes.`);
    const entry = plainToInstance(TenantEntry, plain);
    const wrong = (await validate(entry)).flatMap(({ constraints = {} }) => Object.values(constraints));
    if (wrong.length > 0) throw new Error(`${path}: ${id}: ${wrong.join(', ')}.`);
    entries.set(id, entry);
  }
  return entries;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`TENANTS_FILE: ${path} cannot be read.`, { cause: error });
  }
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed)) return parsed;
  } catch (error) {
    throw new Error(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  throw new Error(`${path} must be an object, with a tenant under each name.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
