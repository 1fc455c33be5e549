import { ConfigurationError } from '../contract/index.js';

const MEDIA_RANGE = /^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+))(?:;.*)?$/;

/** @throws ConfigurationError for what is no media type ('image/png') and no range of them ('image/*') */
export function checkTypes(where: string, types: string | readonly string[]): readonly string[] {
  const all = [types].flat();
  for (const type of all) {
    if (!MEDIA_RANGE.test(type)) {
      throw new ConfigurationError(
        `types of ${where} has ${JSON.stringify(type)}, which is no media type ('image/png', 'image/*', '*/*').`,
      );
    }
  }
  if (all.length === 0) throw new ConfigurationError(`types of ${where} must name at least one type.`);
  return all;
}
