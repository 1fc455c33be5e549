const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 9110, section 5.6.7: the form that is sent, and the two obsolete ones that have to be read. */
const IMF = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * An HTTP date in milliseconds since 1970. Undefined for anything else, which `Date.parse` would take for a date too: a condition with a date that is none is no
 * condition (RFC 9110, section 13.1.3).
 */
export function parseHttpDate(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const imf = IMF.exec(value);
  if (imf !== null) return toTime(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]);
  const old = RFC850.exec(value);
  if (old !== null) return toTime(fullYear(old[3]), old[2], old[1], old[4], old[5], old[6]);
  const asctime = ASCTIME.exec(value);
  return asctime === null ? undefined : toTime(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
}

/** A year of two digits that seems more than 50 years ahead is one of the past. */
function fullYear(digits: string | undefined): string {
  const now = new Date().getUTCFullYear();
  const year = Math.trunc(now / 100) * 100 + Number(digits);
  return String(year > now + 50 ? year - 100 : year);
}

function toTime(
  year?: string,
  month?: string,
  day?: string,
  hour?: string,
  minute?: string,
  second?: string,
): number | undefined {
  const index = MONTHS.indexOf(month ?? '');
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  if (index < 0 || h > 23 || m > 59 || s > 60) return undefined;
  const time = Date.UTC(Number(year), index, d, h, m, s);
  // the 31st of February is no date
  return new Date(time).getUTCDate() === d || s === 60 ? time : undefined;
}
