import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// tsyringe, which @peculiar/x509 is built on, wants this polyfill first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface KeyPairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Everything that TLS tests need, as PEM files in one temporary folder. EC keys on P-256. */
export interface Certificates extends AsyncDisposable {
  readonly directory: string;
  readonly caFile: string;
  /** For 127.0.0.1, ::1 and localhost; also a client certificate, as etcd's own gateway needs. */
  readonly server: KeyPairFiles;
  /** For `etcd.test` only: right by `serverName`, wrong by the address that is dialled. */
  readonly otherNameServer: KeyPairFiles;
  /** Ended at `expiredAt`. */
  readonly expiredServer: KeyPairFiles;
  readonly client: KeyPairFiles;
  readonly expiredClient: KeyPairFiles;
  /** A client certificate of a CA that nobody trusts. */
  readonly strangeClient: KeyPairFiles;
  readonly strangeCaFile: string;
  readonly expiredAt: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-certificates-'));
  const ca = await makeAuthority('etcd-warden test CA');
  const strangeCa = await makeAuthority('strange CA');
  const caFile = join(directory, 'ca.pem');
  const strangeCaFile = join(directory, 'strange-ca.pem');
  await writeFile(caFile, ca.certificate.toString('pem'));
  await writeFile(strangeCaFile, strangeCa.certificate.toString('pem'));
  const loopback = ['127.0.0.1', '::1', 'localhost'];
  // X.509 times have whole seconds.
  const expiredAt = new Date(Math.floor((Date.now() - dayMs) / 1000) * 1000);
  return {
    directory,
    caFile,
    strangeCaFile,
    expiredAt,
    server: await issue(directory, ca, { name: 'server', hosts: loopback }),
    otherNameServer: await issue(directory, ca, { name: 'other-name', hosts: ['etcd.test'] }),
    expiredServer: await issue(directory, ca, { name: 'expired-server', hosts: loopback, notAfter: expiredAt }),
    client: await issue(directory, ca, { name: 'client', hosts: [] }),
    expiredClient: await issue(directory, ca, { name: 'expired-client', hosts: [], notAfter: expiredAt }),
    strangeClient: await issue(directory, strangeCa, { name: 'strange-client', hosts: [] }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: CryptoKey;
}

async function makeAuthority(name: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...validity(new Date(Date.now() + 10 * dayMs)),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, key: keys.privateKey };
}

async function issue(
  directory: string,
  authority: Authority,
  leaf: { readonly name: string; readonly hosts: readonly string[]; readonly notAfter?: Date },
): Promise<KeyPairFiles> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${leaf.name}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    ...validity(leaf.notAfter ?? new Date(Date.now() + 5 * dayMs)),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(
        leaf.hosts.map((host) => ({ type: /^[\d.]+$|:/.test(host) ? 'ip' : 'dns', value: host }) as const),
      ),
    ],
  });
  const files = { certFile: join(directory, `${leaf.name}.pem`), keyFile: join(directory, `${leaf.name}.key`) };
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  await writeFile(files.certFile, certificate.toString('pem'));
  await writeFile(files.keyFile, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), { mode: 0o600 });
  return files;
}

function validity(notAfter: Date): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 30 * dayMs), notAfter };
}
