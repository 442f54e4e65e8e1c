import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../src/adapters/observability/metric-catalogue.ts';
import type { CataloguedFamily } from '../../../src/adapters/observability/metric-family.ts';
import { tellEverything } from './everything-told.ts';

const families: readonly CataloguedFamily[] = Object.values(catalogue);

/** What operators' alerts and charts rely on. A name here changes only with a decision of its own. */
const contract: Readonly<Record<string, string>> = {
  etcd_warden_build_info: 'gauge version',
  etcd_warden_job_runs_total: 'counter job result',
  etcd_warden_job_duration_seconds: 'histogram job',
  etcd_warden_job_running: 'gauge job',
  etcd_warden_job_last_success_timestamp_seconds: 'gauge job',
  etcd_warden_job_last_run_timestamp_seconds: 'gauge job',
  etcd_warden_job_next_run_timestamp_seconds: 'gauge job',
  etcd_warden_job_interval_seconds: 'gauge job',
  etcd_warden_backup_stage_duration_seconds: 'histogram stage',
  etcd_warden_repository_newest_backup_timestamp_seconds: 'gauge repository',
  etcd_warden_repository_newest_verified_timestamp_seconds: 'gauge repository',
  etcd_warden_repository_newest_drilled_timestamp_seconds: 'gauge repository',
  etcd_warden_repository_backups: 'gauge repository state',
  etcd_warden_repository_stored_bytes: 'gauge repository',
  etcd_warden_repository_last_listed_timestamp_seconds: 'gauge repository',
  etcd_warden_snapshot_size_bytes: 'gauge stage',
  etcd_warden_snapshot_stream_held_seconds: 'histogram',
  etcd_warden_member_db_size_bytes: 'gauge member',
  etcd_warden_member_db_in_use_bytes: 'gauge member',
  etcd_warden_member_quota_bytes: 'gauge member',
  etcd_warden_member_reachable: 'gauge member',
  etcd_warden_member_is_leader: 'gauge member',
  etcd_warden_member_alarm: 'gauge member alarm',
  etcd_warden_defrag_reclaimed_bytes_total: 'counter member',
  etcd_warden_defrag_duration_seconds: 'histogram member',
  etcd_warden_drill_duration_seconds: 'histogram',
  etcd_warden_prune_removed_total: 'counter repository',
  etcd_warden_certificate_expiry_timestamp_seconds: 'gauge use',
};

describe('the catalogue', () => {
  it('holds what operators rely on, with its type and labels', () => {
    const described = new Map(
      families.map(({ name, type, labels }) => [name, [type, ...Object.keys(labels)].join(' ')]),
    );
    const found = Object.keys(contract).map((name) => [name, described.get(name)]);
    expect(Object.fromEntries(found)).toEqual(contract);
  });

  it('is all that is served, in its order', async () => {
    const { body } = await tellEverything().render(undefined);
    const served = [...body.matchAll(/^# HELP (\S+) (.*)\n# TYPE \1 (\w+)$/gm)].map(([, name, help, type]) => ({
      name,
      help,
      type,
    }));
    expect(served).toEqual(families.map(({ name, help, type }) => ({ name, help, type })));
  });

  it('says what each family tells in a sentence', () => {
    expect(families.filter(({ help }) => !/^[A-Z1].*\.$/.test(help)).map(({ name }) => name)).toEqual([]);
  });

  it('names a unit where there is one, and says it in the help', () => {
    const units = { seconds: /seconds/, bytes: /[Bb]ytes/ };
    for (const { name, help } of families) {
      for (const [unit, pattern] of Object.entries(units)) {
        expect([name, pattern.test(help)]).toEqual([name, new RegExp(`_${unit}(_total)?$`).test(name)]);
      }
    }
  });

  it('has buckets that rise, for histograms and for nothing else', () => {
    for (const { name, type, buckets } of families) {
      expect([name, buckets !== undefined]).toEqual([name, type === 'histogram']);
      expect(buckets).toEqual(buckets?.toSorted((a, b) => a - b));
    }
  });

  it('hands on gauges only: a counter that begins anew with every run would lie', () => {
    const handedOn = families.filter(({ handedOnWith }) => handedOnWith !== undefined);
    expect(handedOn.map(({ type }) => type).filter((type) => type !== 'gauge')).toEqual([]);
  });
});

it('every metric that docs/metrics.md speaks of exists', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
  const names = new Set(families.map(({ name }) => name));
  const spokenOf = new Set([...page.matchAll(/\b(?:etcd_warden|process)_[a-z_]+/g)].map(([name]) => name));
  expect([...spokenOf].filter((name) => !names.has(name))).toEqual([]);
});
