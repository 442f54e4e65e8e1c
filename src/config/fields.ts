import * as z from 'zod';
import {
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parsePercentage,
  parseSize,
  percentagePattern,
  sizePattern,
  type Duration,
  type Percentage,
  type Size,
} from './units.ts';

/**
 * The kinds of value an option can have. Each says in words what it expects, once: as the message of an error
 * (`must be …`) and as the title in the JSON schema, from which example and reference are written.
 */

/** Text that matches `pattern` and that `parse` turns into a value; undefined from `parse` is an error too. */
export function parsedText<T>(expects: string, pattern: RegExp, parse: (text: string) => T | undefined) {
  const error = `must be ${expects}`;
  return z
    .string({ error })
    .regex(pattern, { error })
    .transform((written, context): T => {
      const value = parse(written);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .meta({ title: expects });
}

/** Text that matches `pattern`. */
export function text(expects: string, pattern: RegExp) {
  const error = `must be ${expects}`;
  return z.string({ error }).regex(pattern, { error }).meta({ title: expects });
}

/** Text without a fault; `findFault` says in words what is wrong. */
export function checkedText(expects: string, findFault: (text: string) => string | undefined) {
  return z
    .string({ error: `must be ${expects}` })
    .superRefine((value, context) => {
      const fault = findFault(value);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: `must be ${expects} (${fault})` });
    })
    .meta({ title: expects });
}

export function oneOf<const W extends readonly string[]>(...words: W) {
  const expects = listWords(words);
  return z.enum(words, { error: `must be ${expects}` }).meta({ title: expects });
}

export function flag() {
  return z.boolean({ error: 'must be true or false' }).meta({ title: 'true or false' });
}

export function integer(least: number, most?: number) {
  const expects = most === undefined ? `an integer ≥ ${least}` : `an integer from ${least} to ${most}`;
  const error = `must be ${expects}`;
  const number = z.int({ error }).min(least, { error });
  return (most === undefined ? number : number.max(most, { error })).meta({ title: expects });
}

/** Bounds are durations as an operator writes them. */
export function duration(least: string, most?: string) {
  const [leastMs, mostMs] = [msOf(least), most === undefined ? Number.MAX_SAFE_INTEGER : msOf(most)];
  const expects = `a duration such as 30s, 15m or 7d${boundsInWords(least === '0s' ? undefined : least, most)}`;
  return parsedText<Duration>(expects, durationPattern, (value) => {
    const parsed = parseDuration(value);
    return parsed !== undefined && parsed.ms >= leastMs && parsed.ms <= mostMs ? parsed : undefined;
  });
}

/** Bounds are sizes in bytes. A plain 0 is a size too. */
export function size(leastBytes: number, mostBytes = Number.MAX_SAFE_INTEGER) {
  const most = mostBytes === Number.MAX_SAFE_INTEGER ? undefined : formatSize({ bytes: mostBytes });
  const least = leastBytes === 0 ? undefined : formatSize({ bytes: leastBytes });
  const expects = `a size such as 64MiB or 8GiB${boundsInWords(least, most)}`;
  const sized = parsedText<Size>(expects, sizePattern, (value) => {
    const parsed = parseSize(value);
    return parsed !== undefined && parsed.bytes >= leastBytes && parsed.bytes <= mostBytes ? parsed : undefined;
  });
  if (leastBytes > 0) return sized;
  const zero = z.literal(0).transform((): Size => ({ bytes: 0 }));
  return z.union([sized, zero], { error: `must be ${expects}` }).meta({ title: expects });
}

export function percentage() {
  return parsedText<Percentage>('a percentage from 0% to 100%', percentagePattern, parsePercentage);
}

/** Relative paths would depend on where the command is started. */
export function absolutePath() {
  return text('an absolute path', /^\/[^\0]*$/);
}

/** A section of named options. Keys that it does not know are errors. */
export function section<S extends z.ZodRawShape>(shape: S) {
  const error = `must be a section with ${listKeys(Object.keys(shape))}`;
  return z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? error : undefined) });
}

export function list<T extends z.ZodType>(
  item: T,
  { least = 0, most, of }: { least?: number; most: number; of: string },
) {
  const error = least === 0 ? `must be a list of at most ${most} ${of}` : `must be a list of ${least} to ${most} ${of}`;
  return z
    .array(item, { error })
    .min(least, { error })
    .max(most, { error })
    .meta({ title: error.replace('must be ', '') });
}

/** One of several sections, told apart by `type`. */
export function choice<const O extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  ...options: O
) {
  return z.discriminatedUnion('type', options, {
    error: (issue) => (typeof issue.input === 'object' ? undefined : 'must be a section with a type'),
  });
}

/** `a, b or c` */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function listKeys(keys: readonly string[]): string {
  const [first, second] = keys;
  return second === undefined ? `the key ${first}` : `keys such as ${first} and ${second}`;
}

function boundsInWords(least: string | undefined, most: string | undefined): string {
  if (least !== undefined && most !== undefined) return `, from ${least} to ${most}`;
  if (least !== undefined) return `, at least ${least}`;
  return most === undefined ? '' : `, at most ${most}`;
}

function msOf(written: string): number {
  const parsed = parseDuration(written);
  if (parsed === undefined || formatDuration(parsed) !== written) throw new RangeError(`not a duration: ${written}`);
  return parsed.ms;
}
