import { parse, validateDetailed, type ParsedFields } from 'node-cron';
import type { CronSchedule } from '../schedule/cron-schedule.ts';

/** One of the fields, in the words of the operator; what it means is node-cron's to say. */
interface CronField {
  readonly key: keyof ParsedFields;
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
}

const fields: readonly CronField[] = [
  { key: 'second', name: 'second', lowest: 0, highest: 59 },
  { key: 'minute', name: 'minute', lowest: 0, highest: 59 },
  { key: 'hour', name: 'hour', lowest: 0, highest: 23 },
  { key: 'dayOfMonth', name: 'day of month', lowest: 1, highest: 31 },
  { key: 'month', name: 'month', lowest: 1, highest: 12 },
  // 0 and 7 are both Sunday.
  { key: 'dayOfWeek', name: 'day of week', lowest: 0, highest: 7 },
];

/** `*`, or one value or two: a number, or the first three letters of a name. node-cron takes `monmon` for 11. */
const rangeShape = /^(\*|([0-9]{1,2}|[a-z]{3})(-([0-9]{1,2}|[a-z]{3}))?)$/i;

/**
 * What is wrong with a cron expression, in words; undefined if nothing is. Stricter than node-cron 4.6, which takes
 * `*\/61`, has ranges that count down begin again at the lowest value, and ANDs day of month with day of week where
 * crontab(5) ORs them.
 */
export function findCronFault(expression: string): string | undefined {
  const texts = fieldTexts(expression);
  if (texts.length !== fields.length) {
    return 'it takes five fields (minute, hour, day of month, month, day of week), or six with seconds first';
  }
  for (const [index, field] of fields.entries()) {
    const fault = findFieldFault(texts[index] ?? '', field);
    if (fault !== undefined) return fault;
  }
  const [, , , days, , weekdays] = texts;
  if (days !== '*' && weekdays !== '*') {
    return 'day of month and day of week cannot both be set: it is unclear whether both or either must match';
  }
  return validateDetailed(texts.join(' ')).valid ? undefined : 'no such day exists in any of its months';
}

/** What an expression without faults says. Throws for another one. */
export function parseCron(expression: string): CronSchedule {
  const texts = fieldTexts(expression);
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parse(texts.join(' '));
  const hours = ascending(hour);
  return {
    seconds: ascending(second),
    minutes: ascending(minute),
    hours,
    daysOfMonth: ascending(dayOfMonth),
    months: ascending(month),
    daysOfWeek: ascending(dayOfWeek),
    isPeriodic: texts[2]?.startsWith('*') === true || hours.length === 24,
  };
}

/** How often an expression without faults comes due on a day on which it does. */
export function runsInDay(expression: string): number {
  const { seconds, minutes, hours } = parseCron(expression);
  return seconds.length * minutes.length * hours.length;
}

/** Of five fields: at second 0. */
function fieldTexts(expression: string): readonly string[] {
  const texts = expression.trim().split(/\s+/);
  return texts.length === fields.length - 1 ? ['0', ...texts] : texts;
}

function findFieldFault(text: string, field: CronField): string | undefined {
  return text
    .split(',')
    .map((part) => findPartFault(part, field))
    .find((fault) => fault !== undefined);
}

/** A part is a value, or a range or `*` with an optional step. */
function findPartFault(part: string, field: CronField): string | undefined {
  const [range = '', ...steps] = part.split('/');
  const values = rangeShape.test(range) ? valuesOf(range, field) : undefined;
  if (values === undefined) {
    return `${field.name} takes ${field.lowest} to ${field.highest}, ranges, lists and steps, not ${JSON.stringify(part)}`;
  }
  if (countsDown(range, field)) return `${field.name} ${JSON.stringify(part)} counts down`;
  if (steps.length === 0) return undefined;
  if (!/[*-]/.test(range)) return `${field.name} ${JSON.stringify(part)} has a step but no range`;
  const stepText = steps.join('/');
  const step = /^[0-9]{1,2}$/.test(stepText) ? Number(stepText) : 0;
  const widest = values.length - 1;
  return step >= 1 && step <= widest
    ? undefined
    : `the step of ${field.name} ${JSON.stringify(part)} is not from 1 to ${widest}`;
}

function countsDown(range: string, field: CronField): boolean {
  const [first = 0, last = first] = range
    .split('-')
    .map((text) => (/^[0-9]/.test(text) ? Number(text) : valuesOf(text, field)?.[0]));
  return first > last;
}

/** In node-cron's reading; undefined where it finds no sense in the text. */
function valuesOf(text: string, { key }: CronField): readonly number[] | undefined {
  const expression = fields.map((field) => (field.key === key ? text : '*')).join(' ');
  const { fields: read } = validateDetailed(expression);
  return read === undefined ? undefined : ascending(read[key]);
}

/** Without doubles. Texts such as `L`, which node-cron knows, no expression without faults has. */
function ascending(values: readonly (number | string)[]): readonly number[] {
  return [...new Set(values)].filter((value) => typeof value === 'number').toSorted((a, b) => a - b);
}
