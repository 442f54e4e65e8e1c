import type { Config } from './schema.ts';

/** Sections that are checked but that this version does not act on yet. */
const unused = [
  /^cluster\.(quota|metrics)$/,
  /^schedules\.(timeZone|backup|verify|drill|defrag)$/,
  /^defrag$/,
  /^http$/,
  /^push$/,
];

/**
 * What the file gives and this version does not act on, such as `schedules.backup`. The lock is among it unless it is
 * turned off: by default one would rely on it.
 */
export function unusedSections(config: Config): readonly string[] {
  const given = config.source.sections.filter((section) => unused.some((pattern) => pattern.test(section)));
  const lock = config.coordination.lock === 'etcd' ? ['coordination.lock'] : [];
  const cron = config.schedules.prune.cron === '' ? [] : ['schedules.prune.cron'];
  return [...lock, ...given, ...cron];
}
