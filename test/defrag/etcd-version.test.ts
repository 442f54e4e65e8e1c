import { describe, expect, it } from 'vitest';
import { describeHarm } from '../../src/defrag/etcd-version.ts';

// field: F070
describe('a release of etcd', () => {
  it.each([
    '3.4.38',
    '3.4.39',
    '3.5.23',
    '3.5.35',
    '3.6.5',
    '3.6.16',
    '3.7.0',
    '3.7.3',
    '3.10.0',
    '4.0.0',
    'v3.6.16',
    '3.5.23-k3s1',
    '3.5.27+vendor.2',
    '3.6.16-20261101',
    '3.6.6-rc.1',
    '3.8.0-alpha.0',
  ])('is safe to defragment: %s', (version) => {
    expect(describeHarm(version)).toBeUndefined();
  });

  it.each([
    '3.4.3',
    '3.4.37',
    '3.5.6',
    '3.5.22',
    '3.6.0',
    '3.6.4',
    '3.5.9-k3s1',
    '3.6.0-rc.1',
    '3.6.5-rc.0',
    '3.5.23-alpha',
    '3.7.0-alpha.0',
    '3.4.2+3.4.38',
  ])('can be corrupted by it: %s', (version) => {
    expect(describeHarm(version)).toMatch(/^is before 3\.[4-7]\.\d+, and a defragmentation .* \(etcd#\d+\)$/);
  });

  it.each(['3.3.27', '3.2.29', '2.3.8', '0.0.0'])('is too old to be known: %s', (version) => {
    expect(describeHarm(version)).toBe('is older than 3.4, and a defragmentation can corrupt its data');
  });

  it.each(['', '3.6', 'latest', 'git', '3.6.x', '3.6.16x', '3..6', ' 3.6.16', '3.6.16\n', '3.6.99999999'])(
    'is not taken for safe where it cannot be read: %j',
    (version) => {
      expect(describeHarm(version)).toBe('is no version that can be read, so what it can harm is not known');
    },
  );
});
