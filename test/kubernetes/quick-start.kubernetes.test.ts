import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsEnvironment } from '../e2e/support/places.ts';
import { requireStatus, startWarden } from '../e2e/support/warden-process.ts';
import type { List, Pod } from './support/objects.ts';
import { reportEnd, runPod } from './support/pod-process.ts';
import { openSite, type Site } from './support/site.ts';

const project = resolve(import.meta.dirname, '../..');

const exporterLabel = 'app.kubernetes.io/component=exporter';

/* The commands of docs/kubernetes.md, as a reader would type them, with nothing changed but where etcd and AWS are. */
describe('docs/kubernetes.md', () => {
  let site: Site;
  let node: string;
  let text: string;
  let id: string;

  beforeAll(async () => {
    site = await openSite();
    node = await layOutNode(site);
    text = await readFile(join(project, 'docs/kubernetes.md'), 'utf8');
  }, 600_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  /** What is to be typed, or written into a file, below a heading. */
  function blocksOf(heading: string): string[] {
    const from = text.indexOf(`# ${heading}\n`);
    const section = text.slice(from, text.indexOf('\n#', from));
    return [...section.matchAll(/^(?: {4}.*\n|\n(?= {4}))+/gm)].map(([block]) =>
      block.replaceAll(/^ {4}/gm, '').trim(),
    );
  }

  /** In the project's folder, where the values file is named as the page names it. */
  async function type(command: string, cwd = project): Promise<string> {
    const { accessKeyId, secretAccessKey } = site.s3.credentials;
    const completed = command
      .replace('AWS_ACCESS_KEY_ID=…', `AWS_ACCESS_KEY_ID=${accessKeyId}`)
      .replace('AWS_SECRET_ACCESS_KEY=…', `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`)
      .replace('--values values.yaml', `--values ${site.folder}/values.yaml --values ${site.folder}/here.yaml`);
    const { stdout } = await promisify(execFile)('sh', ['-ec', completed], { cwd, env: site.plane.env });
    return stdout;
  }

  it('gets a reader to a first verified backup in five commands', async () => {
    const [values = '', typed = ''] = blocksOf('kubeadm: five commands');
    const commands = typed.split('\n');
    expect(commands).toHaveLength(5);
    await writeFile(join(site.folder, 'values.yaml'), values);
    await writeFile(join(site.folder, 'here.yaml'), JSON.stringify({ config: site.config }));
    for (const command of commands) await type(command);
    const { stdout, status } = await carryOut('first');
    expect(status).toBe(0);
    [id = ''] = /\d{8}T\d{6}Z-r\d+-\w+/.exec(stdout) ?? [];
    expect(stdout).toMatch(new RegExp(`^backup ${id} is stored in .*^checks +length, .*live-hash$`, 'ms'));
    expect((await site.s3.objectNames(site.bucket)).some((name) => name.endsWith(`${id}/manifest.json`))).toBe(true);
    await type('kubectl -n etcd-warden create job --from=cronjob/etcd-warden-verify read-back');
    const readBack = await carryOut('read-back');
    expect([readBack.status, readBack.stdout]).toEqual([0, expect.stringContaining(id)]);
  });

  it('shows values that give each job its role', async () => {
    const [roles = ''] = blocksOf('A role for each job');
    await writeFile(join(site.folder, 'roles.yaml'), roles);
    const rendered = await type(
      `helm template etcd-warden helm/etcd-warden --values values.yaml --values ${site.folder}/roles.yaml`,
    );
    expect(rendered).toContain('name: etcd-warden-aws-backup');
    for (const role of ['verify', 'prune', 'exporter']) expect(rendered).toContain(`:role/etcd-${role}`);
  });

  it('says how a command is run by hand: where the exporter is, and as a Job with its own arguments', async () => {
    const [exec = '', jobs = ''] = blocksOf('Commands by hand');
    const [, target = '', command = ''] = /exec (\S+) -- ([^']+)'/.exec(exec) ?? [];
    const [exporter] = (await site.plane.get<List<Pod>>(['pods', '-n', 'etcd-warden', '-l', exporterLabel])).items;
    expect(`${target}-`).toBe(`deployment/${exporter?.metadata.name.replace(/[^-]+-[^-]+$/, '')}`);
    const program = `${site.image.entrypoint.join(' ')} `;
    expect(command.startsWith(program)).toBe(true);
    const args = [...command.slice(program.length).split(' '), 'list'];
    const listed = await runPod(exporter as Pod, { ...site, node, args });
    expect([listed.status, listed.stdout]).toEqual([0, expect.stringContaining(id)]);
    await type(jobs);
    expect((await carryOut('by-hand')).stdout).toContain('is stored in');
    expect((await carryOut('verify-all')).stdout.match(/\d{8}T\d{6}Z-r\d+-\w+/g)).toContain(id);
  });

  it('says what to keep outside: with it a backup is restored where nothing of the cluster is left', async () => {
    const [keep = '', lost = ''] = blocksOf('When a cluster is lost');
    await type(keep, site.folder);
    const configFile = join(site.folder, 'etcd-warden.yaml');
    const env = awsEnvironment(site.s3.credentials);
    const commands = [...lost.matchAll(/^etcd-warden (.*)$/gm)].map(([, line = '']) => line);
    expect(commands).toHaveLength(2);
    for (const line of commands) {
      const args = line.replace('/etc/etcd-warden/', `${site.folder}/`).split(' ');
      await using running = startWarden(args, { configFile, env });
      requireStatus(await running.ended, 0);
    }
    expect((await stat(join(site.folder, 'snapshot.db'))).size).toBeGreaterThan(0);
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
