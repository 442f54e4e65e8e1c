import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { Arena } from './defrag/arena.ts';
import type { DefragCall } from './defrag/member-log.ts';
import { type DefragDocument, makeWorkplace, type Workplace } from './support/defrag-command.ts';
import { requireStatus } from './support/warden-process.ts';

/**
 * Our waiting ends before the member's work does: no second call, and nobody else is touched before it serves again
 * (F067). A client gives a member up that answers no ping for 7 to 14 s; the members here are silent for longer.
 */

let arena: Arena;
let place: Workplace;
beforeAll(async () => {
  arena = await Arena.start('3.6');
});
afterAll(() => arena?.[Symbol.asyncDispose]());
beforeEach(async () => {
  place = await makeWorkplace();
  await arena.fragment();
});
afterEach(() => place[Symbol.asyncDispose]());

const silentMs = 17_000;
const defrag = { rules: [{ reclaimableAbove: '8MiB' }], minReclaim: '1MiB', pause: '0s' };
const inFlight = (): Promise<string> =>
  arena.sampler
    .next(({ isDefragmenting }) => isDefragmenting, AbortSignal.timeout(30_000))
    .then(({ member }) => member);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function judge(calls: readonly DefragCall[], silenced: string): void {
  expect(calls.map(({ member }) => member).toSorted()).toEqual(['m1', 'm2', 'm3']);
  expect(calls[0]?.member).toBe(silenced);
  for (const [index, { beganMs }] of calls.slice(1).entries()) {
    expect(beganMs).toBeGreaterThanOrEqual(calls[index]?.endedMs ?? Number.POSITIVE_INFINITY);
  }
}

describe('a member that is silent for longer than we wait for its answer', () => {
  // field: F067
  test('stopped in the middle of its work: it is called once, and the others only after it is done', async () => {
    const sinceMs = Date.now();
    await place.configure({ cluster: { name: 'test', endpoints: arena.cluster.endpoints }, defrag });
    const running = place.run('defrag');
    const member = await inFlight();
    const { process } = arena.memberOf(member);
    process.signal('SIGSTOP');
    const stoppedMs = Date.now();
    await later(silentMs);
    expect(arena.callsSince(sinceMs)).toEqual([{ member, beganMs: expect.any(Number) as number, endedMs: undefined }]);
    process.signal('SIGCONT');
    const { members } = requireStatus(await running, 0).json() as DefragDocument;

    expect(members.map(({ name, outlastedCall }) => [name, outlastedCall])).toContainEqual([member, true]);
    const calls = arena.callsSince(sinceMs);
    judge(calls, member);
    expect(calls[0]?.endedMs).toBeGreaterThan(stoppedMs + silentMs - 100);
  });

  // field: F067
  test('behind a proxy that swallows its answer: the work is long done, and still nobody else is begun', async () => {
    const proxies = new Map<string, TcpProxy>();
    await using owned = new AsyncDisposableStack();
    for (const { name, endpoint } of arena.cluster.members) {
      proxies.set(name, owned.use(await startTcpProxy(endpoint)));
    }
    const endpointMap = Object.fromEntries(
      arena.cluster.members.map(({ name, endpoint }) => [endpoint, `http://${proxies.get(name)?.address}`]),
    );
    const sinceMs = Date.now();
    await place.configure({ cluster: { name: 'test', endpoints: arena.cluster.endpoints, endpointMap }, defrag });
    const running = place.run('defrag');
    const member = await inFlight();
    proxies.get(member)?.set({ kind: 'blackhole' });
    await later(silentMs);
    expect(arena.callsSince(sinceMs)).toMatchObject([{ member, endedMs: expect.any(Number) as number }]);
    const healedMs = Date.now();
    proxies.get(member)?.set({ kind: 'none' });
    const { members } = requireStatus(await running, 0).json() as DefragDocument;

    expect(members.map(({ name, outlastedCall }) => [name, outlastedCall])).toContainEqual([member, true]);
    const calls = arena.callsSince(sinceMs);
    judge(calls, member);
    expect(calls[1]?.beganMs).toBeGreaterThan(healedMs);
  });
});
