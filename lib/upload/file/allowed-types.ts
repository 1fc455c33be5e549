import { lookup } from 'mime-types';
import { ConfigurationError, UNKNOWN_CONTENT_TYPE } from '../../contract/index.js';
import { isActiveType, isTextType } from './content-type-of-bytes.js';

/** What `allowedTypes` says, ready to be asked. */
export interface AllowedTypes {
  /** As it was said, for messages: `image/*, .pdf`. */
  readonly description: string;
  /** Media types that are named themselves, be it by their extension. */
  readonly types: ReadonlySet<string>;
  /** The beginnings of groups: `image/` for `image/*`. */
  readonly groups: readonly string[];
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*)$/;

/**
 * @param where for messages
 * @throws ConfigurationError for what is neither a media type, nor a group, nor a known extension
 */
export function parseAllowedTypes(where: string, allowed: string | readonly string[]): AllowedTypes {
  const said = typeof allowed === 'string' ? [allowed] : allowed;
  const types = new Set<string>();
  const groups: string[] = [];
  if (said.length === 0) throw new ConfigurationError(`${where} must name at least one type.`);
  for (const each of said) {
    const name = each.trim().toLowerCase();
    if (name.endsWith('/*') && MEDIA_TYPE.test(name)) {
      groups.push(name.slice(0, -1));
    } else if (MEDIA_TYPE.test(name)) {
      types.add(name);
    } else {
      const type = name.startsWith('.') ? lookup(name) : false;
      if (type === false) {
        throw new ConfigurationError(
          `${where} has ${JSON.stringify(each)}, which is no media type ('image/png'), no group ('image/*') and no known extension ('.pdf').`,
        );
      }
      types.add(type);
    }
  }
  return { description: said.join(', '), types, groups };
}

/**
 * Whether files of a type are taken. What a browser may run is in no group: it must be named. Nor is what nobody knows: it is called
 * `application/octet-stream`, and `application/*` would take every file there is.
 */
export function allows({ types, groups }: AllowedTypes, type: string): boolean {
  if (types.has(type)) return true;
  return !isActiveType(type) && type !== UNKNOWN_CONTENT_TYPE && groups.some((group) => type.startsWith(group));
}

/** Whether a type without a signature may be taken on the client's word: it is text, and named. */
export function allowsClaimOf(allowed: AllowedTypes, claim: string): boolean {
  return isTextType(claim) && allows(allowed, claim);
}
