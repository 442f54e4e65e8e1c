import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportEnd, runPod } from './support/pod-process.ts';
import { openSite, type Site } from './support/site.ts';

const project = resolve(import.meta.dirname, '../..');

/* The commands of docs/kubernetes.md, as a reader would type them, with nothing changed but where etcd and AWS are. */
describe('docs/kubernetes.md', () => {
  let site: Site;
  let node: string;
  let values: string;
  let commands: readonly string[];

  beforeAll(async () => {
    site = await openSite();
    node = await layOutNode(site);
    const text = await readFile(join(project, 'docs/kubernetes.md'), 'utf8');
    const section = text.slice(text.indexOf('\n## kubeadm'), text.indexOf('\n## k3s'));
    const blocks = [...section.matchAll(/^(?: {4}.*\n|\n(?= {4}))+/gm)].map(([block]) =>
      block.replaceAll(/^ {4}/gm, ''),
    );
    const [valuesBlock = '', commandBlock = ''] = blocks.map((block) => block.trim());
    values = valuesBlock;
    commands = commandBlock.split('\n');
  }, 600_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  /** In the project's folder, where the values file is named as the page names it. */
  async function type(command: string): Promise<string> {
    const { accessKeyId, secretAccessKey } = site.s3.credentials;
    const completed = command
      .replace('AWS_ACCESS_KEY_ID=…', `AWS_ACCESS_KEY_ID=${accessKeyId}`)
      .replace('AWS_SECRET_ACCESS_KEY=…', `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`)
      .replace('--values values.yaml', `--values ${site.folder}/values.yaml --values ${site.folder}/here.yaml`);
    const { stdout } = await promisify(execFile)('sh', ['-ec', completed], { cwd: project, env: site.plane.env });
    return stdout;
  }

  it('gets a reader to a first verified backup in five commands', async () => {
    expect(commands).toHaveLength(5);
    await writeFile(join(site.folder, 'values.yaml'), values);
    await writeFile(join(site.folder, 'here.yaml'), JSON.stringify({ config: site.config }));
    for (const command of commands) await type(command);
    const { stdout, status } = await carryOut('first');
    expect(status).toBe(0);
    const [id = ''] = /\d{8}T\d{6}Z-r\d+-\w+/.exec(stdout) ?? [];
    expect(stdout).toMatch(new RegExp(`^backup ${id} is stored in .*^checks +length, .*live-hash$`, 'ms'));
    expect((await site.s3.objectNames(site.bucket)).some((name) => name.endsWith(`${id}/manifest.json`))).toBe(true);
    await type('kubectl -n etcd-warden create job --from=cronjob/etcd-warden-verify read-back');
    const readBack = await carryOut('read-back');
    expect([readBack.status, readBack.stdout]).toEqual([0, expect.stringContaining(id)]);
  });

  async function carryOut(job: string): Promise<{ readonly status: number; readonly stdout: string }> {
    const pod = await site.waitForPod('etcd-warden', job);
    const ended = await runPod(pod, { ...site, node });
    await reportEnd(site.plane, pod, ended.status);
    await site.plane.kubectl(['wait', '--for=condition=complete', '--timeout=60s', `job/${job}`, '-n', 'etcd-warden']);
    return { status: ended.status, stdout: ended.stdout + ended.stderr };
  }
});

/** Root's files of a control plane node, where kubeadm has them. */
async function layOutNode({ etcd, folder }: Site): Promise<string> {
  const node = join(folder, 'node');
  const pki = join(node, 'etc/kubernetes/pki/etcd');
  await mkdir(pki, { recursive: true });
  const { caFile = '', client } = etcd.certificates ?? {};
  await cp(caFile, join(pki, 'ca.crt'));
  await cp(client?.certFile ?? '', join(pki, 'healthcheck-client.crt'));
  await cp(client?.keyFile ?? '', join(pki, 'healthcheck-client.key'));
  return node;
}
