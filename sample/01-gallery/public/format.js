// Numbers, dates and kinds as people read them.

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
const sizeFormats = UNITS.map((unit, i) => {
  // a fixed number of digits, so that a size that grows does not jump about
  const digits = i < 2 ? 0 : 1;
  return new Intl.NumberFormat('en', {
    style: 'unit',
    unit,
    unitDisplay: i === 0 ? 'long' : 'short',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
});
const percentFormat = new Intl.NumberFormat('en', { style: 'percent' });
const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const yearFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const timeFormat = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const fullFormat = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'medium' });

/** `formatSize(1_500_000)` is "1.5 MB": powers of 1,000, as disks and file managers count. */
export function formatSize(bytes) {
  let unit = 0;
  // 999,950 would be rounded to "1,000 kB"
  while (bytes >= 999.5 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return sizeFormats[unit].format(bytes);
}

export const formatPercent = (share) => percentFormat.format(Math.floor(share * 100) / 100);

export const formatCount = (count, singular, plural) =>
  `${count.toLocaleString('en')} ${count === 1 ? singular : plural}`;

/** As much of it as tells files apart: the hour for today's, no year for this year's. */
export function formatDate(date, now = new Date()) {
  if (date.toDateString() === now.toDateString()) return `Today, ${timeFormat.format(date)}`;
  return (date.getFullYear() === now.getFullYear() ? dayFormat : yearFormat).format(date);
}

export const formatFullDate = (date) => fullFormat.format(date);

/** `formatRemaining(95)` is "2 min left". */
export function formatRemaining(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min left`;
}

/** Which of the page's pictures stands for a type. */
export function kindOf(contentType) {
  const [top] = contentType.split('/', 1);
  if (top === 'image' || top === 'video' || top === 'audio' || top === 'text') return top;
  if (/\b(?:zip|gzip|x-tar|x-7z-compressed|vnd\.rar|x-bzip2?|x-xz|zstd)\b/.test(contentType)) return 'archive';
  if (/pdf|json|xml|msword|document|rtf/.test(contentType)) return 'text';
  return 'file';
}

/** "PDF" for "Report.pdf"; nothing where a name has no short extension. */
export function extensionOf(name) {
  const match = /[^.]\.([\p{L}\p{N}]{1,5})$/u.exec(name);
  return match === null ? '' : match[1].toUpperCase();
}
