import { InvalidArgumentError } from 'commander';
import { holdNameRule, isHoldName } from '../manifest/hold.ts';

/** The value of `--name`. */
export function parseHoldName(text: string): string {
  if (!isHoldName(text)) throw new InvalidArgumentError(`expected ${holdNameRule}`);
  return text;
}
