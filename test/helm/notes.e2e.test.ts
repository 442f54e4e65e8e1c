import { describe, expect, it } from 'vitest';
import { chart, exampleFile, runHelm } from './render-chart.ts';

/** What is printed after an installation. */
async function notesOf(example: string, ...settings: readonly string[]): Promise<string> {
  const values = ['--values', exampleFile(example), ...settings.map((setting) => `--set-json=${setting}`)];
  const printed = await runHelm('helm', ['install', 'etcd-warden', chart, '-n', 'ops', '--dry-run=client', ...values]);
  return printed.slice(printed.indexOf('\nNOTES:\n'));
}

const daemon = ['mode="daemon"', 'config.schedules={"backup":{"cron":"0 * * * *"}}'] as const;

describe('the notes of an installation', () => {
  it('of CronJobs lead to the first backup and do not wait for it where it fails', async () => {
    const notes = await notesOf('generic');
    expect(notes).toContain('create job --from=cronjob/etcd-warden-backup etcd-warden-backup-first\n');
    expect(notes).toContain('logs -f job/etcd-warden-backup-first;');
    expect(notes).not.toContain(' wait ');
    expect(notes).not.toContain('pod-security');
  });

  it('of a daemon say when it takes the first one, if it takes any', async () => {
    expect(await notesOf('generic', ...daemon)).toContain('where one is owed, such as the first, after 60s at most');
    const skip = 'config.schedules={"timeZone":"Europe/Berlin","backup":{"cron":"0 * * * *","missed":"skip"}}';
    expect(await notesOf('generic', daemon[0], skip)).toContain('due by `0 * * * *` (Europe/Berlin)');
    const none = 'config.schedules={"verify":{"cron":"0 * * * *"}}';
    expect(await notesOf('generic', daemon[0], none)).not.toContain('backup stored');
  });

  it('name the port of each of two clusters, and what the namespace has to admit once', async () => {
    const notes = await notesOf('everything', 'platform="kubeadm"', 'networkPolicy.enabled=false');
    expect(notes).toContain('port-forward deployment/warden-main-exporter 9427\n');
    expect(notes).toContain('port-forward deployment/warden-events-exporter 9428\n');
    expect(notes.match(/pod-security/g)).toHaveLength(1);
  });

  it('promise no page that is not served', async () => {
    expect(await notesOf('generic')).toContain('Status page at http://127.0.0.1:9427');
    expect(await notesOf('generic', 'config.http={"statusPage":false}')).not.toContain('Status page');
  });
});
