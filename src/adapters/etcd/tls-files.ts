import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';
import { describeTlsFailure } from '../tls/describe-tls-failure.ts';

/** Paths, not contents: certificates are renewed while a daemon runs, so each connection reads them afresh. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name that the server certificate must carry where it is not the one that is dialled. */
  readonly serverName?: string | undefined;
}

export interface TlsMaterial {
  readonly secureContext: SecureContext;
  readonly files: TlsFiles;
  /** When our own certificate ends; undefined without one. */
  readonly clientCertificateEnds: Date | undefined;
}

export async function readTlsFiles(files: TlsFiles, signal: AbortSignal): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readPem('caFile', files.caFile, signal),
    readPem('certFile', files.certFile, signal),
    readPem('keyFile', files.keyFile, signal),
  ]);
  try {
    return {
      secureContext: createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }),
      files,
      clientCertificateEnds: cert && new X509Certificate(cert).validToDate,
    };
  } catch (error) {
    const used = Object.entries(files).map(([name, path]) => `${name} ${path}`);
    throw new WardenError(
      'etcd-tls-failed',
      `cluster.tls does not fit together (${used.join(', ')}): ${describeTlsFailure(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function readPem(option: string, path: string | undefined, signal: AbortSignal): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, { signal });
  } catch (error) {
    throw new WardenError(
      'secret-unreadable',
      `cluster.tls.${option} ${path} cannot be read: ${describeThrown(error)}`,
      {
        cause: error,
      },
    );
  }
}
