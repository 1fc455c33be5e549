/** What the route `/idle` allows, in milliseconds. */
export const IDLE_TIMEOUT_MS = 600;

/** What the scanner of the route `/scanned` finds. */
export const VIRUS = 'X-HOSTILE-VIRUS';
