import { describe, expect, it } from 'vitest';
import { findCronFault } from '../../src/config/cron.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { helms, readExample, refusalOf, renderChart, type Values, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const daemon = await readExample('daemon');

const backup = (job: object): Values => withValue(generic, 'jobs.backup', job);
const further = (job: object): Values =>
  withValue(generic, 'extraJobs', [
    { name: 'all', as: 'verify', schedule: '47 5 * * 0', args: ['verify'], activeDeadlineSeconds: 600, ...job },
  ]);

const wrongSchedules: readonly WrongValues[] = [
  ['words', backup({ schedule: '@hourly' }), 'jobs.backup.schedule is `@hourly`', 'it takes five fields'],
  ['seconds', backup({ schedule: '0 7 * * * *' }), 'jobs.backup.schedule', 'it takes five fields'],
  [
    'a minute that there is not',
    backup({ schedule: '61 * * * *' }),
    'jobs.backup.schedule is `61 * * * *`',
    'minute takes 0 to 59, ranges, lists and steps, not `61`',
  ],
  [
    'a Sunday that Kubernetes does not know',
    backup({ schedule: '7 3 * * 7', activeDeadlineSeconds: 600 }),
    'day of week takes 0 to 6',
    'Sunday is 0',
  ],
  [
    'a day that there is not',
    further({ schedule: '0 0 0 * *' }),
    'extraJobs (all).schedule',
    'day of month takes 1 to 31',
  ],
  [
    'a schedule of a daemon out of range',
    withValue(daemon, 'config.schedules.verify', { cron: '99 3 * * 0' }),
    'config.schedules.verify.cron is `99 3 * * 0`',
    'minute takes 0 to 59',
  ],
  [
    'two kinds of days of a daemon',
    withValue(daemon, 'config.schedules.backup', { cron: '0 3 1 * 0' }),
    'config.schedules.backup.cron',
    'day of month and day of week cannot both be set',
  ],
  [
    'a drill in the configuration of CronJobs',
    withValue(generic, 'config.schedules', { drill: { cron: '1 1 * * *' } }),
    'config.schedules.drill has no effect, for drills are not built yet',
    'leave config.schedules.drill out',
  ],
  [
    'a drill of a daemon',
    withValue(daemon, 'config.schedules.drill', { cron: '1 1 * * *' }),
    'config.schedules.drill has no effect, for drills are not built yet',
    'leave config.schedules.drill out',
  ],
  [
    'a misspelt command',
    backup({ args: ['backpu'] }),
    'jobs.backup.args begins with `backpu`',
    'begin with one of backup, list,',
  ],
  [
    'an option before the command',
    further({ args: ['--json', 'verify'] }),
    'extraJobs (all).args',
    'begin with one of',
  ],
  [
    'a command that does not end',
    further({ args: ['run'] }),
    'extraJobs (all).args begins with `run`',
    'begin with one of',
  ],
  [
    'another configuration',
    backup({ args: ['backup', '--config', '/tmp/a'] }),
    'jobs.backup.args holds --config',
    'leave it out',
  ],
  [
    'another configuration in one word',
    backup({ args: ['backup', '--config=/tmp/a'] }),
    'holds --config',
    'leave it out',
  ],
];

describe.each(helms)('%s refuses, in a sentence that names the key and the cure,', (helm) => {
  it.each(wrongSchedules)('%s', (_, values, key, cure) => expectRefusal(values, key, cure, helm));
});

const right = ['0 0 * * 7', '*/5 * * * *', '0 9-17 * * mon-fri', '0 4 1 jan,JUL *', '30 7 3 * * *', '08,09 */23 * * *'];
const wrong = [
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * 32 * *',
  '* * * 13 *',
  '* * * 0 *',
  '* * * * 8',
  '* * * * *  * *',
  '5-1 * * * *',
  '* * * * fri-mon',
  '5/10 * * * *',
  '*/0 * * * *',
  '*/60 * * * *',
  'x * * * *',
  '1,,2 * * * *',
  '60 * * * * *',
  '* * * mon *',
  '* * * * jan',
  '-1 * * * *',
  '1-2-3 * * * *',
  '* * 1 * mon',
  '*/5/5 * * * *',
];

describe('of a daemon the chart takes', () => {
  it.each(right)('the schedule %s, as the agent does', async (cron) => {
    expect(findCronFault(cron)).toBeUndefined();
    await renderChart(withValue(daemon, 'config.schedules.backup', { cron }));
  });

  it.each(wrong)('not the schedule %s, as the agent does not', async (cron) => {
    expect(findCronFault(cron)).toBeDefined();
    const refusal = await refusalOf(withValue(daemon, 'config.schedules.backup', { cron }));
    expect(refusal).toContain(`config.schedules.backup.cron is \`${cron}\``);
  });

  it('what comes from the environment', async () => {
    const { text } = await renderChart(withValue(daemon, 'config.schedules.backup', { cron: '${BACKUP_CRON}' }));
    expect(text).toContain('cron: ${BACKUP_CRON}');
  });
});

it('a CronJob may have a step without a range, as Kubernetes reads it, and both kinds of days', async () => {
  const { find } = await renderChart(backup({ schedule: '5/20 3 1 * mon', activeDeadlineSeconds: 600 }));
  expect(find('CronJob', 'etcd-warden-backup').spec.schedule).toBe('5/20 3 1 * mon');
});

it('every command of the agent is one that a job can run, but the daemon', async () => {
  let help = '';
  const stdout = { write: (text: string) => (help += text) } as unknown as NodeJS.WriteStream;
  const surroundings = {
    env: {},
    stdout,
    stderr: stdout,
    limitShutdown,
    onHangup: limitShutdown,
    interrupt: limitShutdown,
  };
  await runCommandLine(['--help'], surroundings, AbortSignal.timeout(10_000));
  const commands = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
  expect(commands).toContain('run');
  const refusal = await refusalOf(backup({ args: ['run'] }));
  const [, known = ''] = /begin with one of ([a-z, ]+)/.exec(refusal) ?? [];
  expect(known.split(', ').toSorted()).toEqual(commands.filter((name) => name !== 'run' && name !== 'help').toSorted());
});

function limitShutdown(): void {}
