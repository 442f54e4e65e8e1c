import { duration, integer, list, percentage, section, text } from '../fields.ts';
import { optionWithDefault, requiredOption, withRule } from '../option.ts';
import { timeZone } from './schedules.ts';
import { store } from './stores.ts';

const count = () => integer(0);

const retention = withRule(
  section({
    keepLast: optionWithDefault(count(), 24, 'The newest so many, whatever their age.'),
    keepWithin: optionWithDefault(
      duration('0s'),
      '0s',
      'Everything younger than this. 0s: age alone keeps nothing.',
      '2d',
    ),
    hourly: optionWithDefault(count(), 48, 'The newest of each of so many hours. 0 turns the rule off.'),
    daily: optionWithDefault(count(), 14, 'The newest of each of so many days.'),
    weekly: optionWithDefault(count(), 8, 'The newest of each of so many weeks.'),
    monthly: optionWithDefault(count(), 12, 'The newest of each of so many months.'),
    yearly: optionWithDefault(count(), 0, 'The newest of each of so many years.'),
    timeZone: optionWithDefault(timeZone, 'UTC', 'Where hours, days, weeks, months and years begin.'),
    keepMin: optionWithDefault(
      integer(1),
      3,
      'Usable backups that always stay, whatever the rules above say. The newest verified one stays in any case.',
    ),
    maxRemovedPercent: optionWithDefault(
      percentage(),
      '50%',
      'Of the backups of a day ago, so many may go whatever came since; a plan that removes more is refused, because it is more often a mistake than a wish.',
    ),
  }),
  ['keepLast', 'keepWithin', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'],
  ({ keepLast, keepWithin, hourly, daily, weekly, monthly, yearly }, complain) => {
    if (keepLast + keepWithin.ms + hourly + daily + weekly + monthly + yearly > 0) return;
    complain([], 'keeps nothing: every count and keepWithin are 0');
  },
);

const repository = section({
  name: requiredOption(
    text('1 to 40 lower-case letters, digits or hyphens', /^[a-z0-9-]{1,40}$/),
    'Names the repository in metrics, messages and `--repository`.',
    'primary',
  ),
  store: requiredOption(store, 'Where its objects lie.', { type: 'directory', path: '/var/backups/etcd' }),
  retention: optionWithDefault(
    retention,
    {},
    'What `prune` keeps; a backup that any rule keeps stays. Rules that are not given have their default: write 0 to turn one off.',
  ),
});

export const repositories = withRule(
  list(repository, { least: 1, most: 16, of: 'repositories' }),
  ['*.name'],
  (value, complain) => {
    const names = value.map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) < index) complain([index, 'name'], `is used twice: ${name}`);
    }
  },
);
