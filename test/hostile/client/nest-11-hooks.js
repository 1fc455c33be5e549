const nest11 = new URL('../../nest-11/package.json', import.meta.url).href;

/** Nest's own packages come from where Nest 11 is installed, for the library too. */
export function resolve(specifier, context, next) {
  return next(specifier, specifier.startsWith('@nestjs/') ? { ...context, parentURL: nest11 } : context);
}
