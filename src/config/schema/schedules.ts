import { findCronFault } from '../cron.ts';
import { checkedText, duration, list, oneOf, parsedText, section, text } from '../fields.ts';
import { optionalOption, optionWithDefault, requiredOption, withRule } from '../option.ts';

export const timeZone = checkedText('a time zone such as UTC or Europe/Berlin', (name) =>
  isTimeZone(name) ? undefined : 'it is not known here',
);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const expectedCron = 'a cron expression of five or six fields, or empty';

const cron = optionWithDefault(
  checkedText(expectedCron, (expression) => (expression === '' ? undefined : findCronFault(expression))),
  '',
  'When it runs. Empty: not scheduled.',
  '15 3 * * *',
);

/** A part of a whole, `1/14`: so much of the catalogue is read back each time. */
export interface Subset {
  readonly part: number;
  readonly of: number;
}

function parseSubset(value: string): Subset | undefined {
  const [part = 0, of = 0] = value.split('/').map(Number);
  return part >= 1 && part <= of ? { part, of } : undefined;
}

const timeOfDay = () => text('a time of day such as 01:30', /^([01][0-9]|2[0-3]):[0-5][0-9]$/);

const window = section({
  days: optionWithDefault(
    list(oneOf('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'), { least: 1, most: 7, of: 'days' }),
    ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    'Days on which the window opens.',
  ),
  from: requiredOption(timeOfDay(), 'When it opens.', '01:00'),
  to: requiredOption(timeOfDay(), 'When it closes; before `from` means on the next day.', '05:00'),
});

const openWindow = withRule(window, ['from', 'to'], ({ from, to }, complain) => {
  if (from === to) complain(['to'], 'is the same as from: the window would never be open');
});

const prune = withRule(
  section({
    after: optionalOption(oneOf('backup'), 'backup: after each backup that succeeded. Instead of cron.', 'backup'),
    cron,
  }),
  ['after', 'cron'],
  ({ after, cron: expression }, complain) => {
    if (after !== undefined && expression !== '')
      complain(['cron'], 'cannot be given together with schedules.prune.after');
  },
);

export const schedules = section({
  timeZone: optionWithDefault(timeZone, 'UTC', 'Time zone of every cron expression and window below.'),
  backup: optionWithDefault(
    section({
      cron,
      jitter: optionWithDefault(
        duration('0s', '1h'),
        '60s',
        'Each run starts up to this much later, so that many clusters do not start as one.',
      ),
      missed: optionWithDefault(
        oneOf('run-once', 'skip'),
        'run-once',
        'Runs that fell into a time when nothing ran. run-once: one run makes up for all of them.',
      ),
    }),
    {},
    'Backups.',
  ),
  verify: optionWithDefault(
    section({
      cron,
      subset: optionWithDefault(
        parsedText<Subset>('a part such as 1/14', /^[0-9]{1,4}\/[0-9]{1,4}$/, parseSubset),
        '1/14',
        'How much of the catalogue is read back each time; 1/14 comes around in a fortnight of nights.',
      ),
    }),
    {},
    'Reading stored backups back.',
  ),
  drill: optionWithDefault(section({ cron }), {}, 'Rehearsed restores.'),
  prune: optionWithDefault(prune, {}, 'Retention.'),
  defrag: optionWithDefault(
    section({
      cron,
      windows: optionWithDefault(
        list(openWindow, { most: 32, of: 'windows' }),
        [],
        'When defragmentation may run. Empty: at any time. Past defrag.emergencyUsage windows do not hold.',
        [{ from: '01:00', to: '05:00' }],
      ),
    }),
    {},
    'Looking whether a member is due for defragmentation.',
  ),
});
