import { createServer } from 'node:net';
import { once } from 'node:events';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TlsFiles } from '../../../src/adapters/etcd/tls-files.ts';
import type { Certificates } from '../../support/certificates.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { etcdFor, memberAt, never } from './connect.ts';

let cluster: Cluster;
let certificates: Certificates;
let endpoint: string;
let trusted: TlsFiles;

beforeAll(async () => {
  cluster = await startCluster({ tls: 'mtls' });
  if (cluster.certificates === undefined) throw new Error('a cluster without certificates');
  certificates = cluster.certificates;
  endpoint = cluster.endpoints[0] ?? '';
  trusted = { caFile: certificates.caFile, ...certificates.client };
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

/** What `status` and `openSnapshot` reject with; both have to say the same. */
async function failure(url: string, tls: TlsFiles | undefined): Promise<Error> {
  await using member = memberAt(url, { tls });
  const outcomes = await Promise.allSettled([
    member.status(never),
    member.openSnapshot({ idleTimeoutMs: 5_000 }, never),
  ]);
  const [status, snapshot] = outcomes.map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as Error) : undefined,
  );
  expect(snapshot).toMatchObject({ code: (status as { code?: string } | undefined)?.code });
  if (status === undefined) throw new Error('the call went through');
  return status;
}

/** Another etcd that shows another certificate, issued by a CA of its own run. */
async function withServer<T>(
  serverCertificate: 'otherNameServer' | 'expiredServer',
  use: (other: Cluster, its: Certificates) => Promise<T>,
): Promise<T> {
  await using other = await startCluster({ tls: 'mtls', serverCertificate });
  if (other.certificates === undefined) throw new Error('a cluster without certificates');
  return await use(other, other.certificates);
}

// field: F055
describe('each TLS fault has an error of its own', () => {
  test('unknown CA', async () => {
    const error = await failure(endpoint, { ...trusted, caFile: certificates.strangeCaFile });
    expect(error).toMatchObject({
      code: 'etcd-tls-unknown-ca',
      message: expect.stringContaining(certificates.strangeCaFile) as unknown,
    });
  });

  test('no CA at all', async () => {
    expect(await failure(endpoint, undefined)).toMatchObject({
      code: 'etcd-tls-unknown-ca',
      message: expect.stringMatching(/caFile is not set/) as unknown,
    });
  });

  test('expired server certificate, with its date', async () => {
    await withServer('expiredServer', async (other, its) => {
      const error = await failure(other.endpoints[0] ?? '', { caFile: its.caFile, ...its.client });
      expect(error).toMatchObject({
        code: 'etcd-tls-expired',
        message: expect.stringContaining(its.expiredAt.toISOString()) as unknown,
      });
    });
  });

  test('certificate for another name, which serverName puts right', async () => {
    await withServer('otherNameServer', async (other, its) => {
      const files = { caFile: its.caFile, ...its.client };
      const url = other.endpoints[0] ?? '';
      expect(await failure(url, files)).toMatchObject({
        code: 'etcd-tls-name-mismatch',
        message: expect.stringMatching(/etcd\.test/) as unknown,
      });
      await using etcd = etcdFor(other, { tls: { ...files, serverName: 'etcd.test' } });
      expect((await etcd.discover(never)).members).toHaveLength(1);
    });
  });

  test('no client certificate', async () => {
    const error = await failure(endpoint, { caFile: certificates.caFile });
    expect(error).toMatchObject({
      code: 'etcd-tls-client-certificate',
      message: expect.stringMatching(/certFile is not set/) as unknown,
    });
  });

  test('client certificate of a strange CA', async () => {
    const error = await failure(endpoint, { caFile: certificates.caFile, ...certificates.strangeClient });
    expect(error).toMatchObject({
      code: 'etcd-tls-client-certificate',
      message: expect.stringContaining(certificates.strangeClient.certFile) as unknown,
    });
  });

  test('expired client certificate, with its date', async () => {
    const error = await failure(endpoint, { caFile: certificates.caFile, ...certificates.expiredClient });
    expect(error).toMatchObject({
      code: 'etcd-tls-expired',
      message: expect.stringContaining(certificates.expiredAt.toISOString()) as unknown,
    });
  });

  test('http:// to an endpoint that speaks TLS', async () => {
    expect(await failure(endpoint.replace('https', 'http'), undefined)).toMatchObject({ code: 'etcd-tls-required' });
  });

  test('https:// to an endpoint that does not', async () => {
    await using plain = await startCluster();
    const url = (plain.endpoints[0] ?? '').replace('http', 'https');
    expect(await failure(url, trusted)).toMatchObject({ code: 'etcd-tls-plain-server' });
  });

  test('a server that hangs up at once speaks nothing that we know', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await failure(`https://127.0.0.1:${port}`, trusted)).toMatchObject({ code: 'etcd-tls-failed' });
    expect(await failure(`http://127.0.0.1:${port}`, undefined)).toMatchObject({ code: 'etcd-unreachable' });
    server.close();
  });
});

// field: F063
describe('files of TLS', () => {
  test('that are missing are named', async () => {
    const missing = join(certificates.directory, 'nowhere.pem');
    expect(await failure(endpoint, { ...trusted, caFile: missing })).toMatchObject({
      code: 'secret-unreadable',
      message: expect.stringContaining(`cluster.tls.caFile ${missing}`) as unknown,
    });
  });

  test('that do not belong together are named', async () => {
    const error = await failure(endpoint, { ...trusted, keyFile: certificates.strangeClient.keyFile });
    expect(error).toMatchObject({
      code: 'etcd-tls-failed',
      message: expect.stringContaining(certificates.strangeClient.keyFile) as unknown,
    });
  });

  test('are read at each connection, so that renewed ones are used', async () => {
    const files = {
      caFile: certificates.caFile,
      certFile: join(certificates.directory, 'renewed.pem'),
      keyFile: join(certificates.directory, 'renewed.key'),
    };
    await copyFile(certificates.strangeClient.certFile, files.certFile);
    await copyFile(certificates.strangeClient.keyFile, files.keyFile);
    await using member = memberAt(endpoint, { tls: files });
    await expect(member.status(never)).rejects.toMatchObject({ code: 'etcd-tls-client-certificate' });
    await copyFile(certificates.client.certFile, files.certFile);
    await copyFile(certificates.client.keyFile, files.keyFile);
    expect((await member.status(never)).version).toMatch(/^3\.6\./);
  });

  test('that are no certificates are refused without showing what is in them', async () => {
    const file = join(certificates.directory, 'secret.txt');
    await writeFile(file, 'hunter2');
    const error = await failure(endpoint, { ...trusted, keyFile: file });
    expect(error).toMatchObject({ code: 'etcd-tls-failed' });
    expect(JSON.stringify([error.message, error])).not.toContain('hunter2');
    await rm(file);
  });
});
