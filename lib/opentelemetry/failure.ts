import type { Exception } from '@opentelemetry/api';

/** What `error.type` says: the stable code of a storage error, and of any other its class. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '_OTHER';
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}

/** What a span holds of an error. Messages quote keys; the type and the place say what went wrong without them. Causes stay out: they may hold more. */
export function exceptionOf(error: unknown, keys: boolean): Exception {
  if (!(error instanceof Error)) return { name: errorTypeOf(error) };
  const { name, message, stack } = error;
  const shown = keys ? stack : framesOf(stack, message);
  return { name, ...(keys && { message }), ...(shown !== undefined && { stack: shown }) };
}

/** The frames alone. A message that cannot be told from them takes them with it. */
function framesOf(stack: string | undefined, message: string): string | undefined {
  const start = stack?.indexOf(message) ?? -1;
  if (stack === undefined || start === -1) return undefined;
  const frames = stack.slice(start + message.length).split('\n');
  return frames.filter((line) => /^ +at /.test(line)).join('\n') || undefined;
}
