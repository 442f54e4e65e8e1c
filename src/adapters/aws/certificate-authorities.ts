import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * The authorities that Node trusts anyway and those in `caFile`: the credentials' own services have public certificates.
 * Blanks at line ends and starts are removed, since a YAML block often indents what it holds.
 */
export function readAuthorities(caFile: string): string[] {
  const certificates = (readText(caFile).match(pemCertificate) ?? []).map((pem) =>
    pem.replaceAll(/^[ \t]+|[ \t\r]+$/gm, ''),
  );
  if (certificates.length === 0) {
    throw new WardenError('config-invalid', `caFile ${caFile} must hold certificates in PEM form; none was found.`);
  }
  for (const [index, pem] of certificates.entries()) checkCertificate(pem, caFile, index + 1);
  return [...getCACertificates('default'), ...certificates];
}

function readText(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (error) {
    throw new WardenError('secret-unreadable', `caFile cannot be read: ${describeThrown(error)}`, { cause: error });
  }
}

function checkCertificate(pem: string, caFile: string, position: number): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new WardenError(
      'config-invalid',
      `Certificate ${position} in caFile ${caFile} is damaged: ${describeThrown(error)}`,
      {
        cause: error,
      },
    );
  }
}
