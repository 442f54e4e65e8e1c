/** One of the five fields: the values it admits and the names that may stand for them. */
interface CronField {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly names: readonly string[];
}

const minute: CronField = { name: 'minute', lowest: 0, highest: 59, names: [] };
const hour: CronField = { name: 'hour', lowest: 0, highest: 23, names: [] };
const dayOfMonth: CronField = { name: 'day of month', lowest: 1, highest: 31, names: [] };
const month: CronField = {
  name: 'month',
  lowest: 1,
  highest: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
/** 0 and 7 are both Sunday. */
const dayOfWeek: CronField = {
  name: 'day of week',
  lowest: 0,
  highest: 7,
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

const fields = [minute, hour, dayOfMonth, month, dayOfWeek] as const;

/** Days of each month, February in a leap year: a date that exists in some year is a date. */
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * What is wrong with a cron expression of five fields, in words; undefined if nothing is.
 * Stricter than node-cron 4.6, which takes `*\/61` and ANDs day of month with day of week where crontab(5) ORs them.
 */
export function findCronFault(expression: string): string | undefined {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== fields.length || expression.trim() === '') {
    return 'it takes five fields: minute, hour, day of month, month, day of week';
  }
  for (const [index, field] of fields.entries()) {
    const fault = findFieldFault(texts[index] ?? '', field);
    if (fault !== undefined) return fault;
  }
  const [, , days = '', months = '', weekdays = ''] = texts;
  if (days !== '*' && weekdays !== '*') {
    return 'day of month and day of week cannot both be set: it is unclear whether both or either must match';
  }
  return dateExists(days, months) ? undefined : 'no such day exists in any of its months';
}

/** How often an expression without faults comes due on a day on which it does. */
export function runsInDay(expression: string): number {
  const [minutes = '*', hours = '*'] = expression.trim().split(/\s+/);
  return new Set(valuesOf(minutes, minute)).size * new Set(valuesOf(hours, hour)).size;
}

function findFieldFault(text: string, field: CronField): string | undefined {
  for (const part of text.split(',')) {
    const fault = findPartFault(part, field);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A part is a value, or a range or `*` with an optional step. */
function findPartFault(part: string, field: CronField): string | undefined {
  const { range, stepText } = splitPart(part);
  const bounds = parseRange(range, field);
  if (bounds === undefined) {
    return `${field.name} takes ${field.lowest} to ${field.highest}, ranges, lists and steps, not ${JSON.stringify(part)}`;
  }
  if (bounds.first > bounds.last) return `${field.name} ${JSON.stringify(part)} counts down`;
  if (stepText === undefined) return undefined;
  if (!/^(\*|.+-.+)$/.test(range)) return `${field.name} ${JSON.stringify(part)} has a step but no range`;
  const step = /^[0-9]{1,2}$/.test(stepText) ? Number(stepText) : 0;
  const widest = bounds.last - bounds.first;
  return step >= 1 && step <= widest
    ? undefined
    : `the step of ${field.name} ${JSON.stringify(part)} is not from 1 to ${widest}`;
}

function dateExists(days: string, months: string): boolean {
  const firstDay = Math.min(...valuesOf(days, dayOfMonth));
  return valuesOf(months, month).some((value) => firstDay <= (daysOfMonth[value - 1] ?? 0));
}

/** Every value that a field without faults admits. */
function valuesOf(text: string, field: CronField): number[] {
  return text.split(',').flatMap((part) => {
    const { range, stepText = '1' } = splitPart(part);
    const bounds = parseRange(range, field) ?? { first: field.lowest, last: field.highest };
    const step = Number(stepText);
    return Array.from(
      { length: Math.floor((bounds.last - bounds.first) / step) + 1 },
      (_, index) => bounds.first + index * step,
    );
  });
}

function splitPart(part: string): { range: string; stepText: string | undefined } {
  const slash = part.indexOf('/');
  return slash < 0
    ? { range: part, stepText: undefined }
    : { range: part.slice(0, slash), stepText: part.slice(slash + 1) };
}

function parseRange(range: string, field: CronField): { first: number; last: number } | undefined {
  if (range === '*') return { first: field.lowest, last: field.highest };
  const [firstText = '', lastText = firstText, ...rest] = range.split('-');
  const first = parseValue(firstText, field);
  const last = parseValue(lastText, field);
  return first === undefined || last === undefined || rest.length > 0 ? undefined : { first, last };
}

function parseValue(text: string, field: CronField): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named >= 0) return field.lowest + named;
  const value = /^[0-9]{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= field.lowest && value <= field.highest ? value : undefined;
}
