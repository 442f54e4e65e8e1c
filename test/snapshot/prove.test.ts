import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors/table.ts';
import type { Damage } from '../../src/inspect/damage.ts';
import type { Inspection } from '../../src/inspect/inspection.ts';
import { proveFresh, proveSound } from '../../src/snapshot/prove.ts';
import { wardenError } from '../support/errors.ts';
import { sampleInspection } from '../support/sample-backup.ts';

const damageOf = (...codes: Damage['code'][]): Damage[] =>
  codes.map((code) => ({ code, where: 'file', message: `found ${code}` }));
const damaged = (damage: Damage[], changes: Partial<Inspection> = {}): Inspection =>
  sampleInspection({ verdict: 'damaged', damage, damageCount: damage.length, ...changes });

describe('a snapshot', () => {
  it('that is sound passes', () => {
    expect(() => proveSound(sampleInspection())).not.toThrow();
  });

  it.each<[string, Inspection, ErrorCode]>([
    ['without a trailer', damaged(damageOf('trailer-missing'), { trailer: 'missing' }), 'trailer-missing'],
    ['with another trailer', damaged(damageOf('trailer-mismatch'), { trailer: 'differs' }), 'trailer-mismatch'],
    ['with a broken tree', damaged(damageOf('page-referenced-twice')), 'snapshot-damaged'],
    ['of another program', damaged(damageOf('not-etcd')), 'snapshot-not-etcd'],
    ['that cannot be inspected within bounds', damaged(damageOf('too-complex')), 'too-complex'],
    [
      'with several faults, by its trailer',
      damaged(damageOf('keys-unsorted', 'trailer-mismatch'), { trailer: 'differs' }),
      'trailer-mismatch',
    ],
    ['of which nothing more is known', damaged([]), 'snapshot-damaged'],
  ])('%s is refused', (_, inspection, code) => {
    expect(() => proveSound(inspection)).toThrow(wardenError(code));
  });

  it('is refused with the first three faults, and how many more there are', () => {
    const inspection = damaged(damageOf('page-lost', 'page-empty', 'keys-unsorted', 'page-lost'), { damageCount: 500 });
    expect(() => proveSound(inspection)).toThrow(
      wardenError(
        'snapshot-damaged',
        'file: found page-lost; file: found page-empty; file: found keys-unsorted; and 497 more',
      ),
    );
  });

  it.each<[bigint | undefined]>([[8n], [7n], [undefined]])(
    'at revision 8 is fresh if the cluster was at %s',
    (readRevision) => {
      expect(() => proveFresh(sampleInspection(), readRevision, 'm1')).not.toThrow();
    },
  );

  it('that ends before the revision of the read is not fresh', () => {
    expect(() => proveFresh(sampleInspection(), 9n, 'm1')).toThrow(
      wardenError('snapshot-not-fresh', 'm1', 'revision 8', '9'),
    );
  });
});
