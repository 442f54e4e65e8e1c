import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { cleanEnvironment, freePorts, startServer } from '../../support/process.ts';
import { serverBinary } from '../../support/toolchain.ts';

/** An etcd that a control plane keeps its state in. */
export interface Backend {
  readonly endpoint: string;
  readonly certificates: Certificates | undefined;
}

export interface Identity extends AsyncDisposable {
  readonly folder: string;
  readonly certificates: Certificates;
}

/** kube-apiserver on loopback and, unless it is only to be read, kube-controller-manager. No node, no scheduler. */
export interface ControlPlane extends AsyncDisposable {
  readonly kubeconfig: string;
  /** All that a command needs to find this control plane, Helm and kubectl. */
  readonly env: NodeJS.ProcessEnv;
  /** Resolves with standard output; rejects with standard error. `input` is given as `-f -` wants it. */
  kubectl(args: readonly string[], input?: object): Promise<string>;
  /** The document that kubectl prints. */
  get<T>(args: readonly string[]): Promise<T>;
  helm(args: readonly string[]): Promise<string>;
}

const adminToken = 'admin-token';

/** What outlives an API server: its keys and who may do what. */
export async function makeIdentity(): Promise<Identity> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-kube-'));
  const certificates = await makeCertificates();
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), `${adminToken},admin,admin,system:masters\n`);
  return {
    folder,
    certificates,
    [Symbol.asyncDispose]: async () => {
      await certificates[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function startControlPlane(
  identity: Identity,
  backend: Backend,
  { controllers = true }: { readonly controllers?: boolean } = {},
): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const [port = 0, controllersPort = 0] = await freePorts(2);
  const kubeconfig = join(identity.folder, `kubeconfig-${port}`);
  await writeFile(kubeconfig, JSON.stringify(describeAccess(`https://127.0.0.1:${port}`, identity)), { mode: 0o600 });
  const path = [dirname(serverBinary('kube/kubectl')), dirname(serverBinary('chart/helm')), process.env['PATH']];
  const env = cleanEnvironment({ KUBECONFIG: kubeconfig, PATH: path.join(':'), HOME: identity.folder });
  const run = async (command: string, args: readonly string[], input?: object): Promise<string> => {
    const started = promisify(execFile)(command, args, { env, maxBuffer: 2 ** 28, timeout: 180_000 });
    started.child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
    return (await started).stdout;
  };
  const kubectl = (args: readonly string[], input?: object) => run(serverBinary('kube/kubectl'), args, input);
  const answers = async (): Promise<boolean> => (await kubectl(['get', '--raw', '/readyz'])) === 'ok';
  const apiServer = apiServerArgs(identity, backend, port);
  stack.use(await startServer(serverBinary('kube/kube-apiserver'), apiServer, answers, { readyWithinMs: 120_000 }));
  if (controllers) {
    const health = async (): Promise<boolean> => (await kubectl(['get', 'sa', 'default', '-n', 'default'])) !== '';
    const args = controllerArgs(identity, kubeconfig, controllersPort);
    stack.use(
      await startServer(serverBinary('kube/kube-controller-manager'), args, health, { readyWithinMs: 120_000 }),
    );
  }
  const running = stack.move();
  return {
    kubeconfig,
    env,
    kubectl,
    get: async (args) => JSON.parse(await kubectl(['get', ...args, '--output', 'json'])) as never,
    helm: (args) => run(serverBinary('chart/helm'), args),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function apiServerArgs({ folder, certificates }: Identity, { endpoint, certificates: etcd }: Backend, port: number) {
  return [
    `--etcd-servers=${endpoint}`,
    ...(etcd === undefined
      ? []
      : [
          `--etcd-cafile=${etcd.caFile}`,
          `--etcd-certfile=${etcd.client.certFile}`,
          `--etcd-keyfile=${etcd.client.keyFile}`,
        ]),
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${certificates.server.certFile}`,
    `--tls-private-key-file=${certificates.server.keyFile}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--storage-media-type=application/vnd.kubernetes.protobuf',
  ];
}

function controllerArgs({ folder }: Identity, kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--service-account-private-key-file=${join(folder, 'sa.key')}`,
    '--leader-elect=false',
  ];
}

/** A kubeconfig file. */
function describeAccess(server: string, { certificates }: Identity): object {
  return {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': [{ name: 'test', cluster: { server, 'certificate-authority': certificates.caFile } }],
    'users': [{ name: 'admin', user: { token: adminToken } }],
    'contexts': [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
}
