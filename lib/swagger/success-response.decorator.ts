import { RequestMethod, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import { ApiResponse } from '@nestjs/swagger';

/** Where @nestjs/swagger notes the answers of a method: `DECORATORS.API_RESPONSE`, which early versions of 11 do not export. */
const API_RESPONSE = 'swagger/apiResponse';

/** The class of the JSON that a handler answers with; in an array where it answers with several. */
export type ResponseModel = Type | [Type];

/**
 * Describes the answer of a handler that succeeds, as @nestjs/swagger does where a method describes no answer at all: one whose errors are described
 * would have none. Whatever the application says of it itself (`@ApiOkResponse()`) stands.
 *
 * The status depends on decorators above this one (`@Post()`, `@HttpCode()`), which are applied after it. So it waits until the class is there: a
 * microtask runs after the statement that defines it.
 */
export function SuccessResponse(model: ResponseModel | undefined): MethodDecorator {
  return (target, key, descriptor) => {
    queueMicrotask(() => {
      const method: unknown = descriptor.value;
      if (typeof method !== 'function' || hasSuccess(method)) return;
      const response = { status: statusOf(method), description: 'The file has been stored.' };
      ApiResponse(model === undefined ? response : { ...response, type: model })(target, key, descriptor);
    });
  };
}

function hasSuccess(method: object): boolean {
  const responses: unknown = Reflect.getMetadata(API_RESPONSE, method);
  return (
    typeof responses === 'object' &&
    responses !== null &&
    Object.keys(responses).some((status) => /^[23d]/.test(status))
  );
}

/** As Nest decides it. */
function statusOf(method: object): number {
  const said: unknown = Reflect.getMetadata(HTTP_CODE_METADATA, method);
  if (typeof said === 'number') return said;
  return Reflect.getMetadata(METHOD_METADATA, method) === RequestMethod.POST ? 201 : 200;
}
