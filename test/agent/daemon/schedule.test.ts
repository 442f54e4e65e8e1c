import { describe, expect, it } from 'vitest';
import { readSchedule } from '../../../src/agent/daemon/schedule.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';

const hour = 3600;

describe('The schedule', () => {
  const read = (sections: string) => readSchedule(configOf(`${minimalConfig}${sections}`));

  it('is empty where nothing is scheduled: the agent then only watches', () => {
    expect(read('')).toEqual([]);
  });

  it('is every job that the configuration gives a time, with all that is known of it', () => {
    const schedules = [
      'timeZone: Europe/Berlin',
      'backup: {cron: "*/30 * * * *", jitter: 45s, missed: skip}',
      'verify: {cron: "15 3 * * *"}',
      'prune: {cron: "0 4 * * 0"}',
      'defrag: {cron: "*/10 * * * *"}',
    ];
    const planned = read(`schedules:\n${schedules.map((line) => `  ${line}\n`).join('')}`);
    const timeZone = 'Europe/Berlin';
    expect(planned).toMatchObject([
      { job: 'backup', cron: '*/30 * * * *', timeZone, jitterMs: 45_000, missed: 'skip', intervalSeconds: hour / 2 },
      { job: 'verify', cron: '15 3 * * *', timeZone, jitterMs: 0, intervalSeconds: 24 * hour },
      { job: 'prune', cron: '0 4 * * 0', timeZone, jitterMs: 0, intervalSeconds: 7 * 24 * hour },
      { job: 'defrag', cron: '*/10 * * * *', timeZone, jitterMs: 0, intervalSeconds: hour / 6 },
    ]);
    // Those that are regular, and some for what failed.
    expect(planned.map(({ budgetPerHour }) => budgetPerHour - 6)).toEqual([2, 1, 1, 6]);
  });

  it('makes up for backups and proofs that were missed, and not for what hangs on how things are now', () => {
    const times = ['backup', 'verify', 'prune', 'defrag'].map((job) => `  ${job}: {cron: "0 * * * *"}\n`).join('');
    expect(read(`schedules:\n${times}`).map(({ job, missed }) => [job, missed])).toEqual([
      ['backup', 'run-once'],
      ['verify', 'run-once'],
      ['prune', 'skip'],
      ['defrag', 'skip'],
    ]);
  });

  it('leaves retention to the backups where it comes after them, and defragmentation to people where it is off', () => {
    const sections = 'schedules: {prune: {after: backup}, defrag: {cron: "0 * * * *"}}\ndefrag: {enabled: false}\n';
    expect(read(sections)).toEqual([]);
  });
});
