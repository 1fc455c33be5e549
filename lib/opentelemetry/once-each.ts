/** A field of the call rather than a WeakMap: a map of as many short-lived keys as there are calls is work for the collector. */
const told = { span: Symbol('nestjs-storages:told-span'), measurement: Symbol('nestjs-storages:told-measurement') };

/**
 * Of two instrumentations that are enabled at once (of two applications in one process, or one by a module and one by `registerInstrumentations`) each hears of
 * every call, and only the one that was enabled first tells a provider of it: a call is one span and one measurement.
 *
 * @returns whether nobody has told this provider of this call before
 */
export function claim(operation: object, provider: object, as: keyof typeof told): boolean {
  const carrier = operation as Record<symbol, object[] | undefined>;
  const providers = carrier[told[as]];
  if (providers === undefined) {
    carrier[told[as]] = [provider];
    return true;
  }
  if (providers.includes(provider)) return false;
  providers.push(provider);
  return true;
}
