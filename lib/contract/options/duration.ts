const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of a number of seconds or a number with its unit (`Duration`); `undefined` for anything else. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(value);
  return match?.[1] === undefined ? undefined : Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}
