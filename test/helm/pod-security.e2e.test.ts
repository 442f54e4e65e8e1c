import { expect, it } from 'vitest';
import type { PodSpec } from './kubernetes-objects.ts';
import {
  chart,
  exampleFile,
  platforms,
  readExample,
  renderChart,
  type Rendering,
  runHelm,
  withValue,
} from './render-chart.ts';

/** Volumes that the profile restricted takes. Source: kubernetes.io/docs/concepts/security/pod-security-standards. */
const restrictedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const needNode = ['kubeadm', 'k3s', 'rke2'];

it.each(['generic', 'openshift', 'daemon', 'everything'])(
  'the pods of the example %s fit the profile restricted',
  async (example) => {
    for (const pod of podsOf(await renderChart(await readExample(example)))) expect(violationsOf(pod)).toEqual([]);
  },
);

it.each(needNode)(
  'on %s only the network, the files and the user of the node stand against restricted',
  async (platform) => {
    for (const pod of podsOf(await renderChart(await readExample(platform)))) {
      expect(violationsOf(pod).sort()).toEqual(['hostNetwork', 'hostPath volume', 'runs as root']);
    }
  },
);

it.each(needNode)('on %s only three files of the node are mounted, and none can be written', async (platform) => {
  for (const pod of podsOf(await renderChart(await readExample(platform)))) {
    const files = pod.volumes.filter(({ hostPath }) => hostPath !== undefined);
    expect(files.map(({ hostPath }) => (hostPath as { type: string }).type)).toEqual(['File', 'File', 'File']);
    const names = files.map(({ name }) => name);
    const mounts = pod.containers[0].volumeMounts.filter(({ name }) => names.includes(name));
    expect(mounts.map(({ readOnly }) => readOnly)).toEqual([true, true, true]);
  }
});

it('with certificates from a Secret and without the network of the host kubeadm fits restricted too', async () => {
  const values = withValue(await readExample('kubeadm'), 'etcd', { existingSecret: 'etcd-client' });
  const reached = withValue(values, 'config.cluster.endpoints', ['https://10.0.0.1:2379']);
  const own = withValue(reached, 'pod', { hostNetwork: false });
  for (const pod of podsOf(await renderChart(own))) expect(violationsOf(pod)).toEqual([]);
});

it.each(platforms)('on %s no pod has a token of the API or more rights than it needs', async (platform) => {
  const rendering = await renderChart(await readExample(platform));
  expect(rendering.objects.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  for (const { automountServiceAccountToken, containers } of podsOf(rendering)) {
    expect(automountServiceAccountToken).toBe(false);
    expect(containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
});

it.each(platforms)(
  'what is printed after an installation on %s says whether the namespace must admit it',
  async (platform) => {
    const args = ['install', 'etcd-warden', chart, '--dry-run=client', '--namespace', 'ops'];
    const said = await runHelm('helm', [...args, '--values', exampleFile(platform)]);
    const notes = said.slice(said.indexOf('NOTES:'));
    const label = 'kubectl label --overwrite namespace ops pod-security.kubernetes.io/enforce=privileged';
    expect(notes.includes(label)).toBe(needNode.includes(platform));
    expect(notes).toContain('kubectl -n ops create job --from=cronjob/etcd-warden-backup etcd-warden-backup-first');
  },
);

function podsOf({ all }: Rendering): readonly PodSpec[] {
  return [
    ...all('CronJob').map(({ spec }) => spec.jobTemplate.spec.template.spec),
    ...all('Deployment').map(({ spec }) => spec.template.spec),
  ];
}

/** What the profile restricted would hold against a pod. */
function violationsOf({ hostNetwork, hostPID, hostIPC, securityContext, containers, volumes }: PodSpec): string[] {
  const [{ securityContext: own, ports = [] }] = containers;
  const found: [string, boolean][] = [
    ['hostNetwork', hostNetwork === true],
    ['hostPID', hostPID === true],
    ['hostIPC', hostIPC === true],
    ['hostPort', ports.some(({ hostPort }) => hostPort !== undefined)],
    ['privileged', own.privileged === true],
    ['privilege escalation', own.allowPrivilegeEscalation !== false],
    ['capabilities', !own.capabilities.drop.includes('ALL') || (own.capabilities.add ?? []).length > 0],
    ['runs as root', securityContext.runAsNonRoot !== true || securityContext.runAsUser === 0 || own.runAsUser === 0],
    ['seccomp', securityContext.seccompProfile?.type !== 'RuntimeDefault'],
  ];
  const sources = volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  const refused = new Set(sources.filter((source) => !restrictedVolumes.includes(source)));
  return [
    ...found.filter(([, isFound]) => isFound).map(([what]) => what),
    ...[...refused].map((source) => `${source} volume`),
  ];
}
