import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toolVersion } from '../../src/version.ts';
import { configOf } from '../config/minimal-config.ts';
import { serverBinary } from '../support/toolchain.ts';
import { readSidecar, readSidecarConfig, sidecars } from './sidecar.ts';

const schemas = dirname(serverBinary('schemas/v1.28.0-pod-v1.json'));

/** A StatefulSet as an operator of etcd may have it. */
const statefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'etcd', namespace: 'etcd' },
  spec: {
    serviceName: 'etcd',
    selector: { matchLabels: { app: 'etcd' } },
    template: {
      metadata: { labels: { app: 'etcd' } },
      spec: {
        containers: [
          { name: 'etcd', image: 'registry.example.com/etcd:3.6', readinessProbe: { tcpSocket: { port: 2379 } } },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  },
};

describe('the configuration of the static pod', () => {
  it('is one that the agent takes', async () => {
    const { http, schedules, shutdownTimeout } = configOf(await readSidecarConfig());
    expect(http.listen).toEqual({ host: '127.0.0.1', port: 9427 });
    expect(schedules.backup.cron).not.toBe('');
    const { pod } = await readSidecar('static-pod');
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(shutdownTimeout.ms + 10_000);
  });

  it('names files that the pod mounts', async () => {
    const { cluster } = configOf(await readSidecarConfig());
    const { container } = await readSidecar('static-pod');
    const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(mounted).toEqual(expect.arrayContaining(Object.values(cluster.tls)));
  });
});

describe.each(sidecars)('the sidecar %s', (name) => {
  it('runs the agent of this version with nothing that it could do without', async () => {
    const { container } = await readSidecar(name);
    expect(container.image).toBe(`ghcr.io/etcd-warden/etcd-warden:${toolVersion}`);
    expect(container.args.at(-1)).toBe('run');
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toBe('512Mi');
    const mounted = container.volumeMounts.filter(({ mountPath }) => mountPath !== '/tmp');
    expect(mounted.every(({ readOnly }) => readOnly === true)).toBe(true);
  });
});

it('the static pod uses no object of the API, which it could not', async () => {
  const { pod } = await readSidecar('static-pod');
  const kinds = pod.volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  expect(new Set(kinds)).toEqual(new Set(['hostPath', 'emptyDir']));
  expect(pod.serviceAccountName).toBeUndefined();
});

it.each(['1.28.0', '1.37.0'])('both are objects of Kubernetes %s', async (version) => {
  const { document: pod } = await readSidecar('static-pod');
  const { document: patch } = await readSidecar('statefulset-patch');
  const patched = withSidecar(patch as Patch);
  const { containers, volumes } = patched.spec.template.spec;
  expect(containers.map((container) => container.name).sort()).toEqual(['etcd', 'etcd-warden']);
  expect(volumes).toContainEqual({ name: 'data', emptyDir: {} });
  const location = join(schemas, '{{.NormalizedKubernetesVersion}}-{{.ResourceKind}}{{.KindSuffix}}.json');
  const args = ['-strict', '-summary', '-kubernetes-version', version, '-schema-location', location];
  const running = promisify(execFile)(serverBinary('chart/kubeconform'), args);
  running.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, patched] }));
  expect((await running).stdout).toContain('Valid: 2, Invalid: 0, Errors: 0, Skipped: 0');
});

type Patch = { readonly spec: { readonly template: { readonly spec: typeof statefulSet.spec.template.spec } } };

/** As the API server merges a patch: both lists are told apart by names, and nothing of the patch has a name that is taken. */
function withSidecar({ spec: { template } }: Patch): typeof statefulSet {
  const patched = structuredClone(statefulSet);
  const { containers, volumes } = patched.spec.template.spec;
  containers.push(...template.spec.containers);
  volumes.push(...template.spec.volumes);
  return patched;
}
