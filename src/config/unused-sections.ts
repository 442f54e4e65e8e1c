import type { Config } from './schema.ts';

/** Sections that are checked but that this version does not act on yet. */
const unused = [/^coordination$/, /^schedules$/, /^defrag$/, /^http$/, /^push$/, /^repositories\[[0-9]+\]\.retention$/];

/** Sections that the file gives and this version does not act on, such as `schedules` or `repositories[0].retention`. */
export function unusedSections(config: Config): readonly string[] {
  return config.source.sections.filter((section) => unused.some((pattern) => pattern.test(section)));
}
