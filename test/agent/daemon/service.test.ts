import { beforeEach, describe, expect, it } from 'vitest';
import { Service } from '../../../src/agent/daemon/service.ts';
import type { HttpRoutes } from '../../../src/agent/http/routes.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog } from '../../jobs/repositories.ts';
import { wardenError } from '../../support/errors.ts';
import { healthyStatus } from '../http/sample-status.ts';

const loopback = { host: '127.0.0.1', port: 0 };
const routes: HttpRoutes = {
  metrics: () => Promise.reject(new Error('a defect')),
  livez: () => ({ ok: true, lines: [] }),
  readyz: () => ({ ok: true, lines: [] }),
  status: () => healthyStatus(),
};

describe('What the daemon serves', () => {
  let log: ReturnType<typeof fieldsLog>;
  let statusPage: boolean;

  beforeEach(() => {
    log = fieldsLog();
    statusPage = true;
  });

  const start = (): Service => new Service(() => ({ ...configOf(minimalConfig).http, statusPage }), routes, log);
  const statusAt = async (address: string, path = '/livez'): Promise<number> =>
    (await fetch(`http://${address}${path}`, { headers: { connection: 'close' } })).status;

  it('is served at the new address, and no longer at the old one, once it moved', async () => {
    await using service = start();
    const before = await service.listen(loopback);
    expect(await statusAt(before)).toBe(200);
    const after = await service.listen(loopback);
    expect(await statusAt(after)).toBe(200);
    await expect(statusAt(before)).rejects.toThrow('fetch failed');
  });

  it('stays where it is if it cannot move', async () => {
    await using service = start();
    await using other = start();
    const address = await service.listen(loopback);
    const taken = Number((await other.listen(loopback)).split(':')[1]);
    await expect(service.listen({ ...loopback, port: taken })).rejects.toEqual(wardenError('http-listen-failed'));
    expect(await statusAt(address)).toBe(200);
  });

  it('goes by the configuration of the moment as to whether there is a status page', async () => {
    await using service = start();
    const address = await service.listen(loopback);
    expect(await statusAt(address, '/')).toBe(200);
    statusPage = false;
    expect(await statusAt(address, '/')).toBe(404);
  });

  it('tells the log what could not be answered', async () => {
    await using service = start();
    expect(await statusAt(await service.listen(loopback), '/metrics')).toBe(500);
    expect(log.lines).toEqual([['warn', 'a request was not answered', { url: '/metrics', reason: 'a defect' }]]);
  });

  it('has not failed where it moved or was told to end', async () => {
    const service = start();
    await service.listen(loopback);
    let hasFailed = false;
    service.failed().catch(() => (hasFailed = true));
    await service.listen(loopback);
    await service[Symbol.asyncDispose]();
    await new Promise(setImmediate);
    expect(hasFailed).toBe(false);
  });
});
