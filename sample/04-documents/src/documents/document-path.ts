import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { FileNotFoundError, InvalidKeyError, sanitizeKey } from 'nestjs-storages';
import { ValidateBy, type ValidationOptions } from 'class-validator';

/** Bytes of UTF-8. A key has 1,024 of them, the tenant's prefix included. */
const LONGEST_PATH = 900;

/** Whether it is written as a document's path is: `contracts/lease.pdf`, with no `..`, no empty part, no `\` and no control character. */
export function isDocumentPath(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  try {
    sanitizeKey(value, { mode: 'strict', maxBytes: LONGEST_PATH });
    return true;
  } catch (error) {
    if (error instanceof InvalidKeyError) return false;
    throw error;
  }
}

/** For DTOs. */
export function IsDocumentPath(options?: ValidationOptions): PropertyDecorator {
  const defaultMessage = (): string => '$property must be a path such as contracts/lease.pdf';
  return ValidateBy({ name: 'isDocumentPath', validator: { validate: isDocumentPath, defaultMessage } }, options);
}

/**
 * The path of a document that should be there. What can be no path is answered as what is not there: whoever tries the doors learns nothing from them.
 *
 * It is one parameter, `contracts%2Flease.pdf`: OpenAPI has no other way to say it, and it is the same on Express and Fastify.
 */
@Injectable()
export class DocumentPathPipe implements PipeTransform<unknown, string> {
  transform(value: unknown, _metadata: ArgumentMetadata): string {
    if (!isDocumentPath(value)) throw new FileNotFoundError(String(value));
    return value;
  }
}
