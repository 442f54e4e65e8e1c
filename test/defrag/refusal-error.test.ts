import { describe, expect, it } from 'vitest';
import type { DefragRefusalReason } from '../../src/defrag/plan.ts';
import { defragRefused } from '../../src/defrag/refusal-error.ts';
import { errorTable } from '../../src/errors/table.ts';

/** Every reason, or this does not compile. */
const reasons: Readonly<Record<DefragRefusalReason, true>> = {
  'no-leader': true,
  'split-view': true,
  'unstarted-member': true,
  'unreachable-voter': true,
  'lagging-voter': true,
  'corrupt-alarm': true,
  'defrag-running': true,
  'snapshot-open': true,
  'activity-unknown': true,
  'unsafe-version': true,
  'would-break-quorum': true,
  'no-recent-backup': true,
  'single-member': true,
  'unknown-quota': true,
  'no-successor': true,
};

describe('A refusal as an error', () => {
  it.each(Object.keys(reasons) as DefragRefusalReason[])('for %s has a next step of its own', (because) => {
    const error = defragRefused({ because, explanation: 'what was found' });
    expect(error).toMatchObject({ code: 'defrag-refused', exitStatus: 4, details: { because } });
    expect(error.message).toBe(`nothing is defragmented (${because}): what was found`);
    expect(error.hint).toMatch(/^[A-Z][^]*\.$/);
    expect(error.hint).not.toBe(errorTable['defrag-refused'].hint);
  });

  it('says that no more is done where some was', () => {
    const refusal = { because: 'snapshot-open', explanation: 'one is open' } as const;
    expect(defragRefused(refusal, true).message).toBe('nothing more is defragmented (snapshot-open): one is open');
  });
});
