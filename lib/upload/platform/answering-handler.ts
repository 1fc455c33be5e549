import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { RESPONSE_PASSTHROUGH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';

/** Nest's `RouteParamtypes`: the parameters decorated by `@Res()` and `@Next()`. */
const RESPONSE = '1';
const NEXT = '2';

type Handler = ReturnType<ExecutionContext['getHandler']>;

const known = new WeakMap<Handler, boolean>();

/** Whether a handler sends its answer itself: it takes the response by `@Res()` without `passthrough`, or `@Next()`. */
export function answersItself(context: ExecutionContext): boolean {
  const handler = context.getHandler();
  const before = known.get(handler);
  if (before !== undefined) return before;
  const answers = takesResponse(context.getClass(), handler);
  known.set(handler, answers);
  return answers;
}

function takesResponse(controller: ReturnType<ExecutionContext['getClass']>, handler: Handler): boolean {
  const method = nameOf(controller.prototype as object, handler);
  if (method === undefined) return false;
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, method) === true) return false;
  const parameters: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method);
  if (typeof parameters !== 'object' || parameters === null) return false;
  // the keys are `<kind>:<index>`
  return Object.keys(parameters).some((key) => [RESPONSE, NEXT].includes(key.split(':')[0] ?? ''));
}

function nameOf(prototype: object, handler: Handler): string | undefined {
  for (let each: unknown = prototype; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each as object))) {
      if (value === handler) return name;
    }
  }
  return undefined;
}
