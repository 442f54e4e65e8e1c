import type { Config } from './schema.ts';

/** Sections that are checked but that this version does not act on yet. */
const unused = [/^schedules\.(timeZone|backup|verify|drill|defrag)$/, /^http$/, /^push$/];

/** What the file gives and this version does not act on, such as `schedules.backup`. */
export function unusedSections(config: Config): readonly string[] {
  const given = config.source.sections.filter((section) => unused.some((pattern) => pattern.test(section)));
  const cron = config.schedules.prune.cron === '' ? [] : ['schedules.prune.cron'];
  return [...given, ...cron];
}
