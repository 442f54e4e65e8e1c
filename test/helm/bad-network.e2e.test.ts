import { describe, expect, it } from 'vitest';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import type { KubernetesObject } from './kubernetes-objects.ts';
import { readExample, renderChart, type Values, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const kubeadm = await readExample('kubeadm');
const everything = await readExample('everything');

/** The example with a policy, and with something at a port. */
function guarded(path: string, value: unknown, policy: object = {}): Values {
  return withValue(withValue(generic, 'networkPolicy', { enabled: true, ...policy }), path, value);
}

/** Two clusters beside their etcd, with what each says of the address that is listened at. */
function twoOnHosts(...listens: readonly (string | undefined)[]): Values {
  const clusters = listens.map((listen, index) => ({
    name: `c${index}`,
    config: { cluster: { endpoints: [`https://127.0.0.1:2${index}79`] }, ...(listen && { http: { listen } }) },
  }));
  return withValue(withValue(kubeadm, 'config.cluster', undefined), 'clusters', clusters);
}

const s3 = { type: 's3', bucket: 'backups', endpoint: 'https://s3.example.com:9000' };
const repositories = [{ name: 'a', store: s3 }];
const wrongNetworks: readonly WrongValues[] = [
  [
    'a policy for the network of the host',
    withValue(kubeadm, 'networkPolicy', { enabled: true }),
    'networkPolicy.enabled has no effect',
    'set it to false',
  ],
  [
    'an address that nobody reaches',
    withValue(generic, 'config.http', { listen: '127.0.0.1:9427' }),
    'config.http.listen',
    'listen at 0.0.0.0',
  ],
  ...['kubeadm', 'k3s', 'rke2'].map((platform): WrongValues => [
    `the loopback of a pod instead of that of the node, on ${platform}`,
    withValue(withValue(kubeadm, 'platform', platform), 'pod', { hostNetwork: false }),
    'config.cluster.endpoints has https://127.0.0.1:2379, where backup would ask its own pod',
    'list addresses of etcd that pods reach, or leave pod.hostNetwork as platform',
  ]),
  [
    'the loopback of a pod, of one job only',
    withValue(kubeadm, 'jobs', { defrag: { pod: { hostNetwork: false } } }),
    'where defrag would ask its own pod',
    'list addresses',
  ],
  [
    'one port for two clusters in the network of the host',
    twoOnHosts('0.0.0.0:9500', '127.0.0.1:9500'),
    'clusters[0].config.http.listen and clusters[1].config.http.listen have the same port 9500',
    'give each its own',
  ],
  [
    'the port of the first cluster, which the second one has by itself',
    twoOnHosts('0.0.0.0:9428', undefined),
    'have the same port 9428',
    'leave both out',
  ],
  [
    'a port of etcd that no pod reaches',
    guarded('config.cluster.endpoints', ['https://etcd:2379', 'https://etcd:12379']),
    'config.cluster.endpoints[1] is at port 12379',
    'add 12379 to networkPolicy.etcdPorts',
  ],
  [
    'a port of mapped members that no pod reaches',
    guarded(
      'config.cluster.endpointMap',
      { 'https://10.0.0.1:2379': 'https://etcd-1.example.com' },
      { storePorts: [80] },
    ),
    'config.cluster.endpointMap[https://10.0.0.1:2379] is at port 443',
    'add 443 to networkPolicy.etcdPorts',
  ],
  [
    'a port of metrics that no pod reaches',
    guarded('config.cluster.metrics', 'http://{host}:2381/metrics'),
    'config.cluster.metrics is at port 2381',
    'add 2381 to networkPolicy.etcdPorts',
  ],
  [
    'a port of a store that no pod reaches',
    guarded('config.repositories', repositories),
    'config.repositories[0].store.endpoint is at port 9000',
    'add 9000 to networkPolicy.storePorts',
  ],
  [
    'a port of S3 that no pod reaches',
    guarded('config.aws.s3Endpoint', 'http://s3.example.com'),
    'config.aws.s3Endpoint is at port 80',
    'add 80 to networkPolicy.storePorts',
  ],
  [
    'a port of KMS that no pod reaches',
    guarded('config.aws.kmsEndpoint', 'https://kms.example.com:8443', { storePorts: [443, 8080] }),
    'config.aws.kmsEndpoint is at port 8443',
    'add 8443 to networkPolicy.storePorts',
  ],
  [
    'a port of the proxy that no pod reaches',
    guarded('config.aws.proxy', 'http://user:1234@proxy.example.com:3128'),
    'config.aws.proxy is at port 3128',
    'or a rule to networkPolicy.extraEgress',
  ],
  [
    'a port of the Pushgateway that no pod reaches',
    guarded('config.push', { gateway: 'http://pushgateway:9091/metrics' }),
    'config.push.gateway is at port 9091',
    'add 9091 to networkPolicy.storePorts',
  ],
];

describe('Helm refuses, in a sentence that names the key and the cure,', () => {
  it.each(wrongNetworks)('%s', (_, values, key, cure) => expectRefusal(values, key, cure));
});

describe('Helm takes', () => {
  it.each([
    [
      'a port among those of etcd',
      guarded('config.cluster.metrics', 'http://{host}:2381', { etcdPorts: [2379, 2381] }),
    ],
    ['a port among those of stores', guarded('config.repositories', repositories, { storePorts: [443, 9000] })],
    [
      'a port within those of a further rule',
      guarded('config.repositories', repositories, { extraEgress: [{ ports: [{ port: 8000, endPort: 9999 }] }] }),
    ],
    ['any port where a further rule names none', guarded('config.repositories', repositories, { extraEgress: [{}] })],
    [
      'a store behind a proxy',
      guarded(
        'config',
        {
          ...(generic['config'] as object),
          aws: { region: 'eu-central-1', proxy: 'http://proxy:3128' },
          repositories,
        },
        { extraEgress: [{ ports: [{ port: 3128 }] }] },
      ),
    ],
    ['any port without a policy', withValue(generic, 'config.cluster.endpoints', ['https://etcd:12379'])],
    ['clusters with a port each in the network of the host', twoOnHosts(undefined, undefined)],
    [
      'a loopback where something in the pod may lead on',
      withValue(generic, 'config.cluster.endpoints', ['https://127.0.0.1:2379']),
    ],
  ])('%s', async (_, values) => {
    expect((await renderChart(values)).all('CronJob').length).toBeGreaterThanOrEqual(4);
  });
});

it.each([
  ['by the port of its Service and by that of its pods on OpenShift', {}, [53, 53, 5353, 5353]],
  ['by the ports that are given', { dnsPorts: [1053] }, [1053, 1053]],
])('with a policy pods find names, %s', async (_, policy, ports) => {
  const { objects } = await renderChart(withValue(generic, 'networkPolicy', { enabled: true, ...policy }));
  const policies = objects.filter((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');
  expect(policies).toHaveLength(5);
  for (const { spec } of policies) expect(spec.egress[0]?.ports.map(({ port }) => port)).toEqual(ports);
});

it.each([
  ['generic', undefined, undefined, 'ClusterFirst'],
  ['generic', true, undefined, 'ClusterFirstWithHostNet'],
  ['kubeadm', undefined, undefined, 'ClusterFirstWithHostNet'],
  ['kubeadm', false, undefined, 'ClusterFirst'],
  ['kubeadm', undefined, 'Default', 'Default'],
])(
  'on %s with hostNetwork %s and dnsPolicy %s names are found by %s',
  async (platform, hostNetwork, dnsPolicy, policy) => {
    const values = withValue(generic, 'platform', platform);
    const { all } = await renderChart(withValue(values, 'pod', { hostNetwork, dnsPolicy }));
    const policies = all('CronJob').map(({ spec }) => spec.jobTemplate.spec.template.spec.dnsPolicy);
    expect(new Set(policies)).toEqual(new Set([policy]));
  },
);

it('the example with a policy names no port that it leaves out', async () => {
  expect((await renderChart(everything)).objects.some(({ kind }) => kind === 'NetworkPolicy')).toBe(true);
});

interface NetworkPolicy extends KubernetesObject {
  readonly spec: { readonly egress: readonly { readonly ports: readonly { readonly port: number }[] }[] };
}
