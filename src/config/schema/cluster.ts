import * as z from 'zod';
import { absolutePath, checkedText, duration, list, oneOf, parsedText, section, text } from '../fields.ts';
import { optionalOption, optionWithDefault, requiredOption, withRule, type Complain } from '../option.ts';
import { parseSize, type Size } from '../units.ts';
import { findUrlFault, originUrl } from '../url-field.ts';

const tls = section({
  caFile: optionalOption(
    absolutePath(),
    'CA certificates that etcd servers are checked against. Absent: those that the system trusts.',
    '/etc/etcd-warden/etcd/ca.crt',
  ),
  certFile: optionalOption(absolutePath(), 'Client certificate. Needs keyFile.', '/etc/etcd-warden/etcd/client.crt'),
  keyFile: optionalOption(absolutePath(), 'Private key of certFile.', '/etc/etcd-warden/etcd/client.key'),
  serverName: optionalOption(
    text('a host name', /^[A-Za-z0-9.:_-]{1,253}$/),
    'Name to expect in the server certificate, where it is not the host of the URL.',
    'etcd.example.com',
  ),
});

const auth = section({
  username: requiredOption(
    text('a user name', /^[^\0]{1,256}$/),
    'User with the root role: maintenance calls need it.',
    'etcd-warden',
  ),
  passwordFile: requiredOption(absolutePath(), 'File with the password.', '/etc/etcd-warden/etcd/password'),
});

const quota = parsedText<'auto' | Size>(
  'auto or a size such as 8GiB',
  /^(auto|[1-9][0-9]{0,14}(B|KiB|MiB|GiB|TiB))$/,
  (value) => (value === 'auto' ? value : parseSize(value)),
);

const metrics = checkedText('auto, off or a URL in which {host} stands for the host of a member', (value) => {
  if (value === 'auto' || value === 'off') return undefined;
  const url = value.replaceAll('{host}', 'host');
  if (/[{}]/.test(url)) return 'only {host} is replaced';
  const fault = findUrlFault(url);
  if (fault !== undefined) return fault;
  const { username, password } = new URL(url);
  return username === '' && password === '' ? undefined : 'credentials have no place here';
});

const clusterSection = section({
  name: requiredOption(
    text('1 to 40 lower-case letters, digits or hyphens', /^[a-z0-9-]{1,40}$/),
    'Names the cluster in object keys, metrics and messages. A new name begins a new catalogue.',
    'prod',
  ),
  endpoints: requiredOption(
    list(originUrl(), { least: 1, most: 64, of: 'URLs' }),
    'Where etcd is asked, in this order. All http or all https.',
    ['https://127.0.0.1:2379'],
  ),
  discovery: optionWithDefault(
    oneOf('members', 'static'),
    'members',
    'members: the member list names the members. static: the endpoints are the members, as behind a balancer.',
  ),
  endpointMap: optionWithDefault(
    z
      .record(originUrl(), originUrl(), { error: 'must be a map from advertised URLs to reachable ones' })
      .meta({ title: 'a map from advertised URLs to reachable ones' }),
    {},
    'URLs that members advertise but that cannot be reached from here, each with the one to use.',
    { 'https://10.0.0.1:2379': 'https://etcd-1.example.com:2379' },
  ),
  tls: optionWithDefault(tls, {}, 'TLS towards etcd; only with https endpoints.'),
  auth: optionalOption(auth, 'Authentication of etcd, where it is turned on.', {
    username: 'etcd-warden',
    passwordFile: '/etc/etcd-warden/etcd/password',
  }),
  quota: optionWithDefault(
    quota,
    'auto',
    "The members' backend quota. auto: from their status (3.6 and later) or their metrics.",
    '8GiB',
  ),
  metrics: optionWithDefault(
    metrics,
    'auto',
    'Where members serve /metrics. auto: at their client URL. off: they are not asked.',
    'http://{host}:2381/metrics',
  ),
});

export const cluster = withRule(
  withRule(
    withRule(clusterSection, ['endpoints', 'endpointMap'], refuseMixedSchemes),
    ['endpoints', 'tls'],
    ({ endpoints, tls: options }, complain) => {
      if (endpoints[0]?.startsWith('https:')) return;
      for (const [key, value] of Object.entries(options)) {
        if (value !== undefined) complain(['tls', key], 'has no effect: cluster.endpoints are http, not https');
      }
    },
  ),
  ['tls'],
  ({ tls: { certFile, keyFile } }, complain) => {
    if (certFile !== undefined && keyFile === undefined) complain(['tls', 'certFile'], 'needs cluster.tls.keyFile too');
    if (keyFile !== undefined && certFile === undefined) complain(['tls', 'keyFile'], 'needs cluster.tls.certFile too');
  },
);

/** gRPC channels of one client are all secure or all plain. */
function refuseMixedSchemes(value: z.output<typeof clusterSection>, complain: Complain): void {
  const scheme = schemeOf(value.endpoints[0] ?? '');
  const complaint = `must be ${scheme} like the first of cluster.endpoints: all are http or all are https`;
  for (const [index, url] of value.endpoints.entries()) {
    if (schemeOf(url) !== scheme) complain(['endpoints', index], complaint);
    if (value.endpoints.indexOf(url) < index) complain(['endpoints', index], `is listed twice: ${url}`);
  }
  for (const [advertised, url] of Object.entries(value.endpointMap)) {
    if (schemeOf(url) !== scheme) complain(['endpointMap', advertised], complaint);
  }
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'));
}

export const coordination = section({
  lock: optionWithDefault(
    oneOf('etcd', 'none'),
    'etcd',
    'etcd: one run works on the cluster at a time, held by a lease. none: runs do not wait for each other.',
  ),
  key: optionWithDefault(
    checkedText('a key that starts with /', (key) => {
      if (!/^\/[\x21-\x7e]{1,255}$/.test(key)) return 'it is / and 1 to 255 visible ASCII characters';
      return /^\/registry(\/|$)/.test(key) ? '/registry belongs to Kubernetes' : undefined;
    }),
    '/etcd-warden/lock',
    'Where the lock lies. Never below /registry, which belongs to Kubernetes.',
  ),
  ttl: optionWithDefault(duration('10s', '1h'), '60s', 'How long the lock outlives a process that died.'),
});
