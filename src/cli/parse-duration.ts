import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/units.ts';

/** The milliseconds of an option such as `30s`, at least one second. */
export function parseDurationOption(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined || duration.ms < 1000)
    throw new InvalidArgumentError('expected a duration of at least 1s, such as 30s or 15m');
  return duration.ms;
}
