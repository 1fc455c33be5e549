import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { ConfigurationError } from '../contract/index.js';

/** A secret: text (its UTF-8 bytes count) or bytes. */
export type SigningSecret = string | Uint8Array;

/** RFC 2104, section 3: a key shorter than the hash's output weakens it. */
const MIN_BYTES = 32;

/** The secrets of an application: the first signs, all verify, so that one can be taken out of use while its URLs run out. */
export class SigningSecrets {
  // key objects show nothing of themselves, to no inspection and no log
  readonly #keys: readonly [KeyObject, ...KeyObject[]];

  /** @throws ConfigurationError that names the secret by its place, never by what it is */
  constructor(secrets: readonly SigningSecret[]) {
    const given: unknown = secrets;
    const [first, ...others] = Array.isArray(given) ? given.map(keyOf) : [];
    if (first === undefined) {
      throw new ConfigurationError(
        "serve.secrets must be an array of at least one secret of 32 bytes or more, such as [config.getOrThrow('URL_SECRET')].",
      );
    }
    this.#keys = [first, ...others];
  }

  /** HMAC-SHA256 (RFC 2104) of a message, as base64url: 43 characters. */
  sign(message: Buffer): string {
    return signatureBy(this.#keys[0], message);
  }

  /** Compares texts, in a time that does not depend on them: a second spelling of the same bytes is not the same signature. */
  verify(message: Buffer, signature: string): boolean {
    const given = Buffer.from(signature);
    let valid = false;
    for (const key of this.#keys) {
      const expected = Buffer.from(signatureBy(key, message));
      if (given.length === expected.length && timingSafeEqual(given, expected)) valid = true;
    }
    return valid;
  }
}

function signatureBy(key: KeyObject, message: Buffer): string {
  return createHmac('sha256', key).update(message).digest('base64url');
}

function keyOf(secret: unknown, index: number): KeyObject {
  const bytes =
    typeof secret === 'string' ? Buffer.from(secret) : secret instanceof Uint8Array ? Buffer.from(secret) : undefined;
  if (bytes === undefined || bytes.length < MIN_BYTES) {
    throw new ConfigurationError(
      `serve.secrets[${index}] must be a string or bytes, at least ${MIN_BYTES} bytes long: ` +
        "node -e 'console.log(crypto.randomBytes(32).toString(`base64url`))' makes one.",
    );
  }
  return createSecretKey(bytes);
}
