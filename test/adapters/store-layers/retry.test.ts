import { describe, expect, it } from 'vitest';
import { retryCreate, retryWith, tryOnce } from '../../../src/adapters/store-layers/retry.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { ErrorCode } from '../../../src/errors/table.ts';

const go = new AbortController().signal;
const quick = { attempts: 4, firstDelayMs: 1, maxDelayMs: 4, budgetMs: 10_000 };

/** Fails with each of the codes in turn, then succeeds. */
function attempts(...codes: ErrorCode[]) {
  const made = { count: 0 };
  const attempt = () => {
    const code = codes[made.count];
    made.count += 1;
    return code === undefined
      ? Promise.resolve('done')
      : Promise.reject(new WardenError(code, `attempt ${made.count}`));
  };
  return { made, attempt };
}

describe('retryWith', () => {
  it('tries again after what may pass', async () => {
    const { made, attempt } = attempts('store-throttled', 'store-timeout', 'store-unreachable');
    expect(await retryWith(quick)(attempt, go)).toBe('done');
    expect(made.count).toBe(4);
  });

  it('does not try again after what will not', async () => {
    const { made, attempt } = attempts('store-access-denied');
    await expect(retryWith(quick)(attempt, go)).rejects.toMatchObject({ code: 'store-access-denied' });
    expect(made.count).toBe(1);
  });

  it('gives up after its attempts with the last error', async () => {
    const { made, attempt } = attempts(...Array<ErrorCode>(9).fill('store-failed'));
    await expect(retryWith(quick)(attempt, go)).rejects.toMatchObject({ message: 'attempt 4' });
    expect(made.count).toBe(4);
  });

  it('begins no attempt past its budget', async () => {
    const { made, attempt } = attempts('store-failed', 'store-failed');
    const policy = { ...quick, firstDelayMs: 1000, maxDelayMs: 1000, budgetMs: 100 };
    await expect(retryWith(policy)(attempt, go)).rejects.toMatchObject({ message: 'attempt 1' });
    expect(made.count).toBe(1);
  });

  it('stops waiting when it is interrupted', async () => {
    const stop = new AbortController();
    const policy = { ...quick, firstDelayMs: 60_000, maxDelayMs: 60_000, budgetMs: 600_000 };
    const { attempt } = attempts('store-failed');
    const trying = retryWith(policy)(() => attempt().finally(() => setImmediate(() => stop.abort())), stop.signal);
    await expect(trying).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('retryCreate', () => {
  const never = () => Promise.reject(new Error('was not to be asked'));

  it('takes a refusal of the first attempt as it is', async () => {
    const { attempt } = attempts('store-object-exists');
    const creating = retryCreate(retryWith(quick), async () => void (await attempt()), never, go);
    await expect(creating).rejects.toMatchObject({ code: 'store-object-exists' });
  });

  it('asks whose object it is when an earlier answer was lost', async () => {
    for (const isOurs of [true, false]) {
      const { attempt } = attempts('store-timeout', 'store-object-exists');
      const create = async () => void (await attempt());
      const outcome = await retryCreate(retryWith(quick), create, () => Promise.resolve(isOurs), go).then(
        () => 'created',
        (error: unknown) => (error as WardenError).code,
      );
      expect(outcome).toBe(isOurs ? 'created' : 'store-object-exists');
    }
  });

  it('says so when that cannot be told', async () => {
    const { attempt } = attempts('store-timeout', 'store-object-exists');
    const denied = () => Promise.reject(new WardenError('store-access-denied', 'no right to read'));
    const creating = retryCreate(retryWith(quick), async () => void (await attempt()), denied, go);
    await expect(creating).rejects.toMatchObject({
      code: 'store-object-exists',
      message: expect.stringContaining('cannot be told: no right to read') as unknown,
      hint: expect.stringContaining('docs/permissions.md') as unknown,
    });
  });

  it('makes one attempt where nothing is to be retried', async () => {
    const { made, attempt } = attempts('store-timeout');
    await expect(retryCreate(tryOnce, async () => void (await attempt()), never, go)).rejects.toMatchObject({
      code: 'store-timeout',
    });
    expect(made.count).toBe(1);
  });
});
