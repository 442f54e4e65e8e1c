import { InvalidArgumentError } from 'commander';

/** etcd prints cluster ids without leading zeros; keys hold all 16 digits. */
export function parseLineage(text: string): string {
  if (!/^[0-9a-f]{1,16}$/i.test(text))
    throw new InvalidArgumentError('expected an etcd cluster id of 1 to 16 hexadecimal digits');
  return text.toLowerCase().padStart(16, '0');
}
