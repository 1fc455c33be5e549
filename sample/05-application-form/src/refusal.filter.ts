import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UploadException } from 'nestjs-storages';
import { type FormRequest, refusalPage, setPageHeaders, wantsPage } from './page.js';

export interface Refusal {
  readonly statusCode: number;
  readonly code: string;
  /** In the words of this form, for people. */
  readonly title: string;
  /** In the library's words, or those of the validation. */
  readonly message: string;
}

/** What an applicant can do about it. The codes are the library's: `UploadErrorCode`. */
const TITLES: Readonly<Record<string, string>> = {
  LIMIT_FILE_SIZE: 'A file is too large: 5 MiB for the portrait, 25 MiB for a document.',
  LIMIT_TOTAL_SIZE: 'The files are too large: 60 MiB all together.',
  LIMIT_UNEXPECTED_FILE: 'Too many files: one portrait and up to ten documents.',
  MISSING_FILE: 'Please add at least one document.',
  UNSUPPORTED_FILE_TYPE: 'One file is of a kind that is not taken: PDF, pictures and plain text are.',
  STORAGE_FULL: 'There is no room for your files at the moment. Please try again later.',
};

/** Says to people and to programs why an application was refused. */
@Catch(HttpException)
export class RefusalFilter implements ExceptionFilter<HttpException> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const http = host.switchToHttp();
    const response: unknown = http.getResponse();
    const refusal = refusalOf(exception);
    if (!wantsPage(http.getRequest<FormRequest>())) {
      httpAdapter.reply(response, refusal, refusal.statusCode);
      return;
    }
    setPageHeaders(httpAdapter, response);
    httpAdapter.reply(response, refusalPage(refusal), refusal.statusCode);
  }
}

function refusalOf(exception: HttpException): Refusal {
  const statusCode = exception.getStatus();
  if (exception instanceof UploadException) {
    const { code, message } = exception;
    return { statusCode, code, title: TITLES[code] ?? 'The application could not be taken.', message };
  }
  // the validation's answer has a list of messages
  const answer = exception.getResponse();
  const said = typeof answer === 'object' && 'message' in answer ? answer.message : exception.message;
  const message = (Array.isArray(said) ? said : [said]).map(String).join(' ').replaceAll('address.', '');
  return { statusCode, code: 'INVALID_FIELDS', title: 'Please look at the fields again.', message };
}
