import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chart, exampleFile, platforms } from '../helm/render-chart.ts';
import type { Event, List } from './support/objects.ts';
import { openSite, releaseValues, type Site } from './support/site.ts';

const modes = ['cronjob', 'daemon'] as const;

/** What the host's network and files of root's cost, and nothing else. */
const saidByThePlatform =
  /^(hostNetwork=true|host namespaces \(hostNetwork=true\)|hostPath volumes \([^)]*\)|restricted volume types \([^)]*\)|runAsNonRoot != true \([^)]*\)|runAsUser=0 \([^)]*\))$/;

/* What a real API server thinks of what the chart makes. */
describe('The API server', () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    await site.makeNamespace('strict', 'restricted');
    await site.makeNamespace('ordinary', 'baseline');
  }, 600_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  /** Sends a release to the API server, which looks at all of it and keeps nothing; resolves with all that it says. */
  async function tryOn(args: readonly string[]): Promise<string> {
    const command = `helm template etcd-warden '${chart}' -n strict --kube-version 1.37.0 ${args.join(' ')} |
      kubectl create --dry-run=server --validate=strict -n strict -f - 2>&1`;
    return (await promisify(execFile)('sh', ['-ec', command], { env: site.plane.env })).stdout;
  }

  const warningsOf = (said: string): string[] =>
    said
      .split('\n')
      .filter((line) => line.startsWith('Warning'))
      .flatMap((line) => line.replace(/^.*"restricted:latest": /, '').split(/, (?![^(]*\))/));

  it.each(platforms.flatMap((platform) => modes.map((mode) => [platform, mode] as const)))(
    'takes all of platform %s in mode %s, and warns of nothing but what the platform asks for',
    async (platform, mode) => {
      const file = mode === 'daemon' ? 'daemon' : platform;
      const said = await tryOn(['--values', exampleFile(file), '--set', `platform=${platform},mode=${mode}`]);
      expect(said).toMatch(/created \(server dry run\)/);
      const warnings = warningsOf(said);
      const isOfTheNode = ['kubeadm', 'k3s', 'rke2'].includes(platform);
      expect(warnings.filter((warning) => !isOfTheNode || !saidByThePlatform.test(warning))).toEqual([]);
      expect(warnings.length > 0).toBe(isOfTheNode);
    },
  );

  it('refuses pods of the host’s network where they are not admitted, until the command of the installation’s notes was run', async () => {
    const file = join(site.folder, 'values.json');
    await writeFile(file, JSON.stringify({ ...releaseValues(site), platform: 'kubeadm', etcd: {}, mode: 'cronjob' }));
    const notes = await site.plane.helm(['install', 'refused', chart, '-n', 'ordinary', '--values', file]);
    await site.plane.kubectl(['create', 'job', '-n', 'ordinary', '--from=cronjob/refused-etcd-warden-backup', 'first']);
    await vi.waitFor(
      async () => {
        const { items } = await site.plane.get<List<Event>>(['event', '-n', 'ordinary']);
        const refusal = items.find(
          ({ reason, message }) => reason === 'FailedCreate' && message.includes('PodSecurity'),
        );
        expect(refusal?.message).toContain('hostNetwork');
      },
      { timeout: 60_000, interval: 1000 },
    );
    const [cure = ''] = /kubectl label .*enforce=privileged$/m.exec(notes) ?? [];
    await promisify(execFile)('sh', ['-ec', cure], { env: site.plane.env });
    // The controller tries again by itself, later and later.
    await vi.waitFor(async () => expect(await site.podsOf('ordinary', 'first')).toHaveLength(1), {
      timeout: 120_000,
      interval: 1000,
    });
    await site.plane.helm(['uninstall', 'refused', '-n', 'ordinary']);
  });

  it.each([
    ['a key that is misspelt', { config: { repositries: [] } }, 'repositries'],
    ['a type that is wrong', { cronJob: { backoffLimit: 'one' } }, 'backoffLimit'],
    ['two that exclude each other', { networkPolicy: { enabled: true }, platform: 'kubeadm' }, 'networkPolicy'],
  ])('is not asked at all where the values have %s', async (_, wrong, key) => {
    const file = join(site.folder, 'wrong.json');
    const { config, ...values } = releaseValues(site) as { config: object };
    const merged = { ...values, ...wrong, config: { ...config, ...('config' in wrong ? wrong.config : {}) } };
    await writeFile(file, JSON.stringify(merged));
    const refusal = await site.plane.helm(['install', 'wrong', chart, '-n', 'strict', '--values', file]).then(
      () => 'it was installed',
      (error: unknown) => (error as { stderr: string }).stderr,
    );
    expect(refusal).toContain(key);
    expect(await site.plane.helm(['list', '-n', 'strict', '--short'])).toBe('');
  });
});
