import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** One text of a query, or none: `?tag=a&tag=b` is a list, and no answer to a question for one. */
@Injectable()
export class TextPipe implements PipeTransform<unknown, string | undefined> {
  transform(value: unknown): string | undefined {
    if (value === undefined || typeof value === 'string') return value;
    throw new BadRequestException('Each part of the query may be given once.');
  }
}
