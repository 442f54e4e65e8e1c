import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';
import { startKms, type TestKms } from '../support/kms.ts';
import { freePorts } from '../support/process.ts';
import { restrictedUser, type S3Server, startS3Server } from '../support/s3.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from './support/places.ts';
import { startWarden } from './support/warden-process.ts';

/** Texts that no output may hold, however much is logged: each is a secret in one of the configurations below. */
const secrets = {
  rootPassword: 'planted-root-password',
  readerPassword: 'planted-reader-password',
  wrongPassword: 'planted-wrong-password',
  wrongSecretKey: 'planted-wrong-secret-access-key',
  sessionToken: 'planted-session-token',
  aesKey: 'planted-aes-key-of-32-characters',
  shortKey: 'planted-short-key',
};

const stack = new AsyncDisposableStack();
let plain: Cluster;
let guarded: Cluster;
let mtls: Cluster;
let otherName: Cluster;
let expired: Cluster;
let s3: S3Server;
let kms: TestKms;
let keys: KeyFiles;
let places: Places;

beforeAll(async () => {
  const auth = { user: 'root', password: secrets.rootPassword };
  const started = await Promise.all([
    startCluster(),
    startCluster({ auth }),
    startCluster({ tls: 'mtls' }),
    startCluster({ tls: 'mtls', serverCertificate: 'otherNameServer' }),
    startCluster({ tls: 'mtls', serverCertificate: 'expiredServer' }),
  ]);
  [plain, guarded, mtls, otherName, expired] = started;
  for (const cluster of started) stack.use(cluster);
  s3 = stack.use(await startS3Server());
  kms = stack.use(await startKms());
  keys = stack.use(await makeKeyFiles());
  places = stack.use(await makePlaces(s3));
  await guarded.etcdctl(['user', 'add', `reader:${secrets.readerPassword}`]);
});
afterAll(() => stack.disposeAsync());

interface BadInput {
  /** Sections of the configuration that are not as they should be. */
  readonly sections: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly code: string;
  readonly status: number;
  /** What the sentence has to name. */
  readonly says: RegExp;
}

const clusterAt = (endpoint: string | undefined, more: object = {}): object => ({
  cluster: { name: 'test', endpoints: [endpoint], ...more },
});
const tlsOf = (cluster: Cluster, change: object = {}): object => ({
  caFile: cluster.certificates?.caFile,
  ...cluster.certificates?.client,
  ...change,
});

async function asUser(username: string, password: string): Promise<object> {
  return clusterAt(guarded.endpoints[0], {
    auth: { username, passwordFile: await keys.write(`password-${password}`, password) },
  });
}

const withKms = (keyArn: string, kmsEndpoint = kms.endpoint): object => ({
  aws: { kmsEndpoint },
  encryption: { recipients: [{ type: 'aws-kms', keyArn }] },
});

const wrongs: Readonly<Record<string, () => BadInput | Promise<BadInput>>> = {
  'a misspelt key in the configuration': () => ({
    sections: { snapshot: { idleTimout: '5s' } },
    code: 'config-invalid',
    status: 2,
    says: /config\.yaml:\d+:\d+: .*idleTimout.*idleTimeout/,
  }),
  'endpoints where nothing listens': async () => ({
    sections: clusterAt(`http://127.0.0.1:${(await freePorts(1))[0]}`),
    code: 'etcd-unreachable',
    status: 1,
    says: /127\.0\.0\.1:\d+/,
  }),
  'a CA that did not sign the server certificate': () => ({
    sections: clusterAt(mtls.endpoints[0], { tls: tlsOf(mtls, { caFile: mtls.certificates?.strangeCaFile }) }),
    code: 'etcd-tls-unknown-ca',
    status: 1,
    says: /certificate/,
  }),
  'a server certificate for another name': () => ({
    sections: clusterAt(otherName.endpoints[0], { tls: tlsOf(otherName) }),
    code: 'etcd-tls-name-mismatch',
    status: 1,
    says: /etcd\.test/,
  }),
  'a server certificate that has expired': () => ({
    sections: clusterAt(expired.endpoints[0], { tls: tlsOf(expired) }),
    code: 'etcd-tls-expired',
    status: 1,
    says: /\d{4}-\d{2}-\d{2}/,
  }),
  'no client certificate': () => ({
    sections: clusterAt(mtls.endpoints[0], { tls: { caFile: mtls.certificates?.caFile } }),
    code: 'etcd-tls-client-certificate',
    status: 1,
    says: /client certificate/,
  }),
  'https to an etcd without TLS': () => ({
    sections: clusterAt(plain.endpoints[0]?.replace('http:', 'https:')),
    code: 'etcd-tls-plain-server',
    status: 1,
    says: /https:.*plain HTTP/,
  }),
  'http to an etcd with TLS': () => ({
    sections: clusterAt(mtls.endpoints[0]?.replace('https:', 'http:')),
    code: 'etcd-tls-required',
    status: 1,
    says: /TLS/,
  }),
  'an etcd user without the root role': async () => ({
    sections: await asUser('reader', secrets.readerPassword),
    code: 'etcd-permission-denied',
    status: 1,
    says: /root role/,
  }),
  'a wrong password': async () => ({
    sections: await asUser('root', secrets.wrongPassword),
    code: 'etcd-auth-failed',
    status: 1,
    says: /invalid user ID or password/,
  }),
  'no user for an etcd with authentication': () => ({
    sections: clusterAt(guarded.endpoints[0]),
    code: 'etcd-auth-required',
    status: 1,
    says: /authentication|user/,
  }),
  'a password file that does not exist': () => ({
    sections: clusterAt(guarded.endpoints[0], { auth: { username: 'root', passwordFile: '/nowhere/password' } }),
    code: 'secret-unreadable',
    status: 2,
    says: /cluster\.auth\.passwordFile.*\/nowhere\/password/,
  }),
  'an AES key file of another length': async () => ({
    sections: {
      encryption: {
        recipients: [{ type: 'aes-key-file', file: await keys.write('short', secrets.shortKey), name: 'short' }],
      },
    },
    code: 'key-file-invalid',
    status: 2,
    says: /32/,
  }),
  'a bucket that does not exist': () => ({
    sections: { repositories: [cloudRepository(s3.endpoint, 'no-such-bucket')] },
    code: 'store-bucket-missing',
    status: 1,
    says: /no-such-bucket/,
  }),
  'a role that may not write to the bucket': () => ({
    sections: { repositories: [cloudRepository(s3.endpoint, places.bucket)] },
    env: awsEnvironment(restrictedUser),
    code: 'store-access-denied',
    status: 1,
    says: /AccessDenied/,
  }),
  'a wrong secret access key': () => ({
    sections: { repositories: [cloudRepository(s3.endpoint, places.bucket)] },
    env: awsEnvironment({ ...s3.credentials, secretAccessKey: secrets.wrongSecretKey }),
    code: 'store-credentials',
    status: 1,
    says: /SignatureDoesNotMatch/,
  }),
  'a session token that the store does not know': () => ({
    sections: { repositories: [cloudRepository(s3.endpoint, places.bucket)] },
    env: {
      ...awsEnvironment({ accessKeyId: 'AKIAUNKNOWN', secretAccessKey: secrets.wrongSecretKey }),
      AWS_SESSION_TOKEN: secrets.sessionToken,
    },
    code: 'store-credentials',
    status: 1,
    says: /InvalidToken/,
  }),
  'a directory that does not exist': () => ({
    sections: { repositories: [localRepository(join(places.folder, 'missing'))] },
    code: 'store-not-writable',
    status: 1,
    says: /missing/,
  }),
  'a KMS key that the role may not use': async () => {
    await kms.inject({ action: 'GenerateDataKey', code: 'AccessDeniedException', status: 400 });
    return { sections: withKms(await kms.createKey()), code: 'key-denied', status: 1, says: /arn:aws:kms:/ };
  },
  'a KMS key that is disabled': async () => {
    const keyArn = await kms.createKey();
    await kms.disable(keyArn);
    return { sections: withKms(keyArn), code: 'key-unavailable', status: 1, says: /arn:aws:kms:/ };
  },
  'a KMS that cannot be reached': async () => ({
    sections: withKms('arn:aws:kms:us-east-1:111122223333:alias/gone', `http://127.0.0.1:${(await freePorts(1))[0]}`),
    code: 'key-unreachable',
    status: 1,
    says: /arn:aws:kms:/,
  }),
};

interface FailureDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly details: { readonly codes?: readonly string[] };
  };
}

const sentences = new Map<string, string>();

// field: F139
test.each(Object.keys(wrongs))(
  'a backup with %s fails with a sentence, a hint and a status of its own',
  async (what) => {
    const wrong = await wrongs[what]?.();
    if (wrong === undefined) throw new Error(`no case ${what}`);
    const aesKey = await keys.write('aes', secrets.aesKey);
    const sections = {
      ...clusterAt(plain.endpoints[0]),
      encryption: { recipients: [{ type: 'aes-key-file', file: aesKey, name: 'site' }] },
      ...wrong.sections,
    };
    const configFile = await places.configure(sections);
    const env = wrong.env ?? awsEnvironment(s3.credentials);
    try {
      const ended = await startWarden(['backup', '--json', '--log-level', 'debug'], { configFile, env }).ended;
      const { code, message, hint, details } = (ended.json() as FailureDocument).error;
      // With one repository the error is that of the whole backup, and names the repository's own.
      const named = code === 'no-backup-stored' ? details.codes : [code];
      expect({ message, codes: named }).toEqual({ message, codes: [wrong.code] });
      expect(ended.status).toBe(wrong.status);
      expect(message).toMatch(wrong.says);
      expect(hint).toMatch(/^\S.*\S.*\.$/);
      expect([...sentences].filter(([, sentence]) => sentence === message)).toEqual([]);
      sentences.set(what, message);
      const printed = ended.stdout + ended.stderr;
      const shown = [...Object.values(secrets), env['AWS_SECRET_ACCESS_KEY'] ?? ''].filter((secret) =>
        isShown(secret, printed),
      );
      expect(shown).toEqual([]);
      expect(await places.contents()).toEqual([]);
    } finally {
      await kms.inject();
    }
  },
);

test('people see the sentence and the hint as well', async () => {
  const configFile = await places.configure({ ...clusterAt('http://127.0.0.1:1'), log: { format: 'pretty' } });
  const { status, stdout, stderr } = await startWarden(['backup'], { configFile }).ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1.*\nhint: .*\. \[etcd-unreachable\]\n$/m);
});

/** A secret as it stands, or as a program might print its bytes. */
function isShown(secret: string, printed: string): boolean {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64'), bytes.toString('hex')].some((form) => printed.includes(form));
}
