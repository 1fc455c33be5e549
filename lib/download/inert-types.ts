/**
 * Types in which nothing runs, so that a stranger's file may be shown on the application's own origin: images but SVG, audio, video, plain
 * text. With `nosniff` a browser takes each for what it is called.
 */
const INERT = /^(?:image\/(?!svg\b|svg\+)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/;

/** Types that a browser shows by a viewer of its own, which a sandbox would stop. */
const VIEWED: ReadonlySet<string> = new Set(['application/pdf']);

/** A media type without its parameters, in lower case. */
export function essenceOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

export function isInert(essence: string): boolean {
  return INERT.test(essence) && !essence.endsWith('+xml');
}

/** Whether a browser shows it by a viewer in which nothing of the application can be reached. */
export function isViewed(essence: string): boolean {
  return VIEWED.has(essence);
}
