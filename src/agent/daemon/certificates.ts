import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import { describeThrown } from '../../errors/warden-error.ts';
import type { Log } from '../../ports/log.ts';
import type { CertificateUse, Metrics } from '../../ports/metrics.ts';

export interface CertificateEnd {
  readonly use: CertificateUse;
  readonly file: string;
  readonly expiresAt: Date;
}

/** Reads every certificate that the configuration names, and tells when each ends. */
export async function readCertificates(
  config: Config,
  measures: Metrics,
  log: Log,
): Promise<readonly CertificateEnd[]> {
  const found: CertificateEnd[] = [];
  for (const [use, file] of filesOf(config)) {
    try {
      const text = await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(readLimitMs) });
      found.push({ use, file, expiresAt: earliestEnd(text) });
    } catch (error) {
      log.warn('a certificate cannot be read', { url: file, reason: describeThrown(error) });
    }
  }
  measures.certificatesRead(found);
  return found;
}

function filesOf({ cluster, aws, repositories }: Config): (readonly [CertificateUse, string])[] {
  const storeFiles = repositories.flatMap(({ store }) =>
    store.type === 's3' ? (store.caFile ?? aws.caFile ?? []) : [],
  );
  const named = [
    ['etcd-ca', cluster.tls?.caFile],
    ['etcd-client', cluster.tls?.certFile],
    ...[...new Set(storeFiles)].map((file) => ['store-ca', file] as const),
  ] as const;
  return named.flatMap(([use, file]) => (file === undefined ? [] : [[use, file] as const]));
}

/** A mount that hangs must not hold up the end of the daemon. */
const readLimitMs = 5_000;

/** Of a bundle the one that ends first of those that have not ended: systems keep old ones beside the new. */
function earliestEnd(pem: string): Date {
  const ends = (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map(
    (certificate) => new X509Certificate(certificate).validToDate,
  );
  const valid = ends.filter((end) => end.getTime() > Date.now());
  const [first, ...others] = valid.length === 0 ? ends : valid;
  if (first === undefined) throw new Error('it holds no certificate in PEM form');
  return others.reduce((earliest, end) => (end < earliest ? end : earliest), first);
}
