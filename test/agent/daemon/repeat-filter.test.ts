import { beforeEach, describe, expect, it } from 'vitest';
import { RepeatFilter } from '../../../src/agent/daemon/repeat-filter.ts';
import { fieldsLog } from '../../jobs/repositories.ts';

describe('A log for work that is done again and again', () => {
  let log: ReturnType<typeof fieldsLog>;
  let filter: RepeatFilter;

  beforeEach(() => {
    log = fieldsLog();
    filter = new RepeatFilter(log);
  });

  const levels = (): string[] => log.lines.map(([level]) => level);

  it.each(['warn', 'error'] as const)('writes a fault at level %s once, and at level debug while it lasts', (level) => {
    for (let time = 0; time < 3; time += 1) filter.begin()[level]('cannot be listed', { repository: 'far' });
    expect(log.lines).toEqual([
      [level, 'cannot be listed', { repository: 'far' }],
      ['debug', 'cannot be listed', { repository: 'far' }],
      ['debug', 'cannot be listed', { repository: 'far' }],
    ]);
  });

  it('writes it again once it was gone for a time', () => {
    filter.begin().warn('cannot be listed');
    filter.begin();
    filter.begin().warn('cannot be listed');
    expect(levels()).toEqual(['warn', 'warn']);
  });

  it('writes everything of one time, however often it comes', () => {
    const told = filter.begin();
    told.warn('member skipped');
    told.warn('member skipped');
    expect(levels()).toEqual(['warn', 'warn']);
  });

  it.each(['code', 'repository', 'member', 'job', 'url'])('tells faults apart by their %s', (field) => {
    filter.begin().error('failed', { [field]: 'one' });
    filter.begin().error('failed', { [field]: 'other' });
    expect(levels()).toEqual(['error', 'error']);
  });

  it('takes faults for the same that differ in times and counts alone', () => {
    filter.begin().warn('failed', { code: 'store-failed', reason: 'after 3 s' });
    filter.begin().warn('failed', { code: 'store-failed', reason: 'after 5 s' });
    expect(levels()).toEqual(['warn', 'debug']);
  });

  it('never holds back what is no fault', () => {
    for (let time = 0; time < 2; time += 1) {
      const told = filter.begin();
      told.info('done');
      told.debug('looked');
    }
    expect(levels()).toEqual(['info', 'debug', 'info', 'debug']);
  });
});
