import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CertificateEnd, readCertificates } from '../../../src/agent/daemon/certificates.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog } from '../../jobs/repositories.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

const dayMs = 86_400_000;

describe('When certificates end', () => {
  let files: Certificates;
  let log: ReturnType<typeof fieldsLog>;
  let measures: RecordedMeasures;

  beforeAll(async () => {
    files = await makeCertificates();
  });
  afterAll(() => files[Symbol.asyncDispose]());

  beforeEach(() => {
    log = fieldsLog();
    measures = recordedMeasures();
  });

  interface Named {
    readonly tls?: string;
    readonly aws?: string;
    readonly stores?: readonly string[];
  }
  function read({ tls = '', aws = '', stores = [] }: Named): Promise<readonly CertificateEnd[]> {
    const bucket = 'type: s3, bucket: backups, region: eu-central-1';
    const repositories = stores.map((ca, index) => `  - {name: s${index}, store: {${bucket}${ca}}}\n`).join('');
    const withTls = minimalConfig.replace('  name: prod\n', `  name: prod\n${tls}`);
    return readCertificates(configOf(`${withTls}${repositories}${aws}`), measures, log);
  }
  const usesOf = (ends: readonly CertificateEnd[]): string[] => ends.map(({ use }) => use);

  it('is nothing where none is named', async () => {
    expect(await read({})).toEqual([]);
    expect(measures.told).toEqual([['certificatesRead', []]]);
  });

  it('is read from each file, for each use', async () => {
    const { certFile, keyFile } = files.expiredClient;
    const tls = `  tls: {caFile: ${files.caFile}, certFile: ${certFile}, keyFile: ${keyFile}}\n`;
    const ends = await read({ tls, stores: [`, caFile: ${files.strangeCaFile}`] });
    expect(usesOf(ends)).toEqual(['etcd-ca', 'etcd-client', 'store-ca']);
    expect(ends[1]).toEqual({ use: 'etcd-client', file: certFile, expiresAt: files.expiredAt });
    expect(ends[0]?.expiresAt.getTime()).toBeGreaterThan(Date.now() + dayMs);
    expect(measures.told).toEqual([['certificatesRead', ends]]);
  });

  it('of stores is that of their own CA, or of the one for all of AWS', async () => {
    const aws = `aws: {caFile: ${files.caFile}}\n`;
    const [end] = await read({ aws, stores: ['', ''] });
    expect([end?.use, end?.file]).toEqual(['store-ca', files.caFile]);
    expect((await read({ aws, stores: [`, caFile: ${files.strangeCaFile}`] }))[0]?.file).toBe(files.strangeCaFile);
    expect(await read({ aws })).toEqual([]);
  });

  it('is that of the first of a bundle, of those that have not ended', async () => {
    const bundle = join(files.directory, 'bundle.pem');
    const [long = '', short = ''] = await Promise.all(
      [files.caFile, files.expiredServer.certFile].map((file) => readFile(file, 'utf8')),
    );
    await writeFile(bundle, `for the old ones\n${long}${short}${long}`);
    const end = new X509Certificate(long).validToDate;
    expect((await read({ stores: [`, caFile: ${bundle}`] }))[0]?.expiresAt).toEqual(end);
  });

  it('is told of every store, also where it is over', async () => {
    const stores = [files.caFile, files.expiredServer.certFile].map((file) => `, caFile: ${file}`);
    const ends = await read({ stores });
    expect(ends.map(({ file }) => file)).toEqual([files.caFile, files.expiredServer.certFile]);
    expect(ends[1]?.expiresAt).toEqual(files.expiredAt);
  });

  it('is not known of a file that cannot be read, which is told, and hides no other one', async () => {
    const notPem = join(files.directory, 'not.pem');
    await writeFile(notPem, 'nothing of the kind');
    const stores = ['/nowhere/ca.pem', notPem, files.caFile].map((file) => `, caFile: ${file}`);
    expect((await read({ stores })).map(({ file }) => file)).toEqual([files.caFile]);
    expect(log.lines).toEqual([
      [
        'warn',
        'a certificate cannot be read',
        { url: '/nowhere/ca.pem', reason: expect.stringContaining('ENOENT') as string },
      ],
      ['warn', 'a certificate cannot be read', { url: notPem, reason: 'it holds no certificate in PEM form' }],
    ]);
  });
});
