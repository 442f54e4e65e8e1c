import { describe, expect, it } from 'vitest';
import { configOf, minimalConfig } from './minimal-config.ts';

const { source: _, ...settings } = configOf(minimalConfig);

const retention = {
  keepLast: 24,
  keepWithin: { ms: 0 },
  hourly: 48,
  daily: 14,
  weekly: 8,
  monthly: 12,
  yearly: 0,
  timeZone: 'UTC',
  keepMin: 3,
  maxRemovedPercent: { fraction: 0.5 },
};

describe('the defaults', () => {
  it('are those that the contract with operators names', () => {
    expect(settings).toEqual({
      version: 1,
      cluster: {
        name: 'prod',
        endpoints: ['https://127.0.0.1:2379'],
        discovery: 'members',
        endpointMap: {},
        tls: {},
        quota: 'auto',
        metrics: 'auto',
      },
      coordination: { lock: 'etcd', key: '/etcd-warden/lock', ttl: { ms: 60_000 } },
      snapshot: {
        prefer: 'follower',
        idleTimeout: { ms: 30_000 },
        maxStreamHold: { ms: 1_800_000 },
        compression: { algorithm: 'zstd', level: 1 },
        spool: { directory: '', maxSize: { bytes: 0 } },
      },
      encryption: 'none',
      aws: {},
      repositories: [{ name: 'local', store: { type: 'directory', path: '/var/backups/etcd' }, retention }],
      schedules: {
        timeZone: 'UTC',
        backup: { cron: '', jitter: { ms: 60_000 }, missed: 'run-once' },
        verify: { cron: '', subset: { part: 1, of: 14 } },
        drill: { cron: '' },
        prune: { cron: '' },
        defrag: { cron: '', windows: [] },
      },
      defrag: {
        enabled: true,
        rules: [
          {
            fragmentationAbove: { fraction: 0.45 },
            dbSizeAbove: { bytes: 104_857_600 },
            reclaimableAbove: { bytes: 67_108_864 },
          },
          { usageAbove: { fraction: 0.75 }, reclaimableAbove: { fractionOfQuota: 0.1 } },
        ],
        minReclaim: { bytes: 33_554_432 },
        emergencyUsage: { fraction: 0.9 },
        pause: { ms: 60_000 },
        cooldown: { ms: 21_600_000 },
        moveLeader: true,
        requireBackupWithin: { ms: 0 },
        disarmNospace: true,
        maxRaftLag: 1000,
        allowSingleMember: false,
      },
      http: { listen: { host: '0.0.0.0', port: 9427 }, statusPage: true },
      push: { gateway: '', textfile: '' },
      log: { level: 'info', format: 'auto' },
      // Beyond the contract.
      watch: { repositories: { ms: 300_000 }, members: { ms: 30_000 } },
      shutdownTimeout: { ms: 25_000 },
    });
  });

  it('of an s3 store are those of the contract', () => {
    const text = minimalConfig.replace('{type: directory, path: /var/backups/etcd}', '{type: s3, bucket: backups}');
    expect(configOf(text).repositories[0]?.store).toEqual({
      type: 's3',
      bucket: 'backups',
      prefix: '',
      forcePathStyle: false,
      partSize: 'auto',
      concurrency: 4,
      checksums: 'when-supported',
      objectLock: { mode: 'none', retain: { ms: 2_592_000_000 } },
    });
  });

  it('hold for each rule of retention that is not given', () => {
    const text = minimalConfig.replace('/var/backups/etcd}', '/var/backups/etcd}\n    retention: {keepLast: 6}');
    expect(configOf(text).repositories[0]?.retention).toEqual({ ...retention, keepLast: 6 });
  });

  it('let compression be turned off by the word none', () => {
    expect(configOf(`${minimalConfig}snapshot: {compression: none}\n`).snapshot.compression.algorithm).toBe('none');
  });

  it('drop the slash at the end of an endpoint', () => {
    expect(configOf(minimalConfig.replace(':2379', ':2379/')).cluster.endpoints).toEqual(['https://127.0.0.1:2379']);
  });
});
