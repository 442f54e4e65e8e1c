import type { Config } from './schema.ts';

/** What the file gives and this version does not act on yet, such as `schedules.drill`. */
export function unusedSections({ source }: Config): readonly string[] {
  return source.sections.filter((section) => section === 'schedules.drill');
}
