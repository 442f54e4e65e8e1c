/** Values of the configuration that carry a unit. Each is an object, so that the unit stands where the value is used. */
export interface Duration {
  readonly ms: number;
}

export interface Size {
  readonly bytes: number;
}

/** A percentage as a fraction from 0 to 1. */
export interface Percentage {
  readonly fraction: number;
}

/** A percentage of a member's backend quota, as a fraction from 0 to 1. */
export interface QuotaShare {
  readonly fractionOfQuota: number;
}

/** Largest first. No years or months, whose length varies, and no `M`, which could mean minutes or months. */
const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Largest first. Powers of 1024 only: `8G`, `8GB` and `8Gi` mean different sizes to different tools. */
const sizeUnits = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
] as const;

export const durationPattern = /^[0-9]{1,16}(ms|s|m|h|d)$/;
export const sizePattern = /^(0|[0-9]{1,16}(B|KiB|MiB|GiB|TiB))$/;
export const percentagePattern = /^(100|[0-9]{1,2}(\.[0-9]{1,4})?)%$/;
export const quotaSharePattern = /^(100|[0-9]{1,2}(\.[0-9]{1,4})?)%ofQuota$/;

/** `500ms`, `30s`, `15m`, `6h`, `7d`; undefined for anything else. */
export function parseDuration(text: string): Duration | undefined {
  if (!durationPattern.test(text)) return undefined;
  const ms = parseAmount(text, durationUnits);
  return ms === undefined ? undefined : { ms };
}

/** `0`, `512B`, `64MiB`, `8GiB`; undefined for anything else. */
export function parseSize(text: string): Size | undefined {
  if (!sizePattern.test(text)) return undefined;
  const bytes = text === '0' ? 0 : parseAmount(text, sizeUnits);
  return bytes === undefined ? undefined : { bytes };
}

/** `80%`, `12.5%`, from 0 to 100; undefined for anything else. */
export function parsePercentage(text: string): Percentage | undefined {
  return percentagePattern.test(text) ? { fraction: Number(text.slice(0, -1)) / 100 } : undefined;
}

/** `10%ofQuota`; undefined for anything else. */
export function parseQuotaShare(text: string): QuotaShare | undefined {
  if (!quotaSharePattern.test(text)) return undefined;
  return { fractionOfQuota: Number(text.slice(0, text.indexOf('%'))) / 100 };
}

export function formatDuration(duration: Duration): string {
  return formatAmount(duration.ms, durationUnits, 's');
}

export function formatSize(size: Size): string {
  return formatAmount(size.bytes, sizeUnits, 'B');
}

export function formatPercentage(percentage: Percentage): string {
  return `${toPercent(percentage.fraction)}%`;
}

export function formatQuotaShare(share: QuotaShare): string {
  return `${toPercent(share.fractionOfQuota)}%ofQuota`;
}

type Units = readonly (readonly [name: string, factor: number])[];

function parseAmount(text: string, units: Units): number | undefined {
  const [, digits = '', name] = /^([0-9]+)(.*)$/.exec(text) ?? [];
  const factor = units.find(([unit]) => unit === name)?.[1];
  if (factor === undefined) return undefined;
  const amount = Number(digits) * factor;
  return Number.isSafeInteger(amount) ? amount : undefined;
}

/** In the largest unit that divides the amount, so that nothing is rounded. */
function formatAmount(amount: number, units: Units, unitOfZero: string): string {
  if (amount === 0) return `0${unitOfZero}`;
  for (const [name, factor] of units) {
    if (amount % factor === 0) return `${amount / factor}${name}`;
  }
  throw new RangeError(`not a whole amount: ${amount}`);
}

/** Six decimals of a fraction are the four of a percentage that the pattern admits; the rest is noise of the division. */
function toPercent(fraction: number): number {
  return Math.round(fraction * 1_000_000) / 10_000;
}
