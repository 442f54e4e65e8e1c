import type { Config } from './schema.ts';

/** Sections that are checked but that this version does not act on yet. */
const unused = [
  /^cluster\.(quota|metrics)$/,
  /^schedules$/,
  /^defrag$/,
  /^http$/,
  /^push$/,
  /^repositories\[[0-9]+\]\.retention$/,
];

/**
 * What the file gives and this version does not act on, such as `schedules` or `repositories[0].retention`. The lock is
 * among it unless it is turned off: by default one would rely on it.
 */
export function unusedSections(config: Config): readonly string[] {
  const given = config.source.sections.filter((section) => unused.some((pattern) => pattern.test(section)));
  return config.coordination.lock === 'etcd' ? ['coordination.lock', ...given] : given;
}
