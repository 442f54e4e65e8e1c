import { describe, expect, it } from 'vitest';
import { readQuota } from '../../src/members/quota.ts';

const GiB = 2 ** 30;

describe('The quota of a member', () => {
  // field: F082
  it.each<[string, [number | undefined, number | undefined, number | undefined], object]>([
    ['the configuration, whatever else is told', [GiB, 2 * GiB, 3 * GiB], { bytes: GiB, source: 'configuration' }],
    ['its status', [undefined, 8 * GiB, 3 * GiB], { bytes: 8 * GiB, source: 'status' }],
    [
      'its metrics where the status does not tell',
      [undefined, undefined, 3 * GiB],
      { bytes: 3 * GiB, source: 'metrics' },
    ],
    ['0 in the status: etcd’s default', [undefined, 0, 3 * GiB], { bytes: 2_147_483_648, source: 'status' }],
    ['0 in the metrics: etcd’s default', [undefined, undefined, 0], { bytes: 2_147_483_648, source: 'metrics' }],
  ])('comes from %s', (_, [configured, status, metrics], expected) => {
    expect(readQuota(configured, status, metrics, 'nobody tells')).toEqual({ kind: 'limited', ...expected });
  });

  // field: F082
  it('is none where etcd says a negative number', () => {
    expect(readQuota(undefined, -1, 3 * GiB, '')).toEqual({ kind: 'unlimited', source: 'status' });
    expect(readQuota(undefined, undefined, -1, '')).toEqual({ kind: 'unlimited', source: 'metrics' });
  });

  // field: F082
  it('is unknown where nobody tells, with the reason', () => {
    expect(readQuota(undefined, undefined, undefined, 'metrics are off')).toEqual({
      kind: 'unknown',
      reason: 'metrics are off',
    });
  });
});
