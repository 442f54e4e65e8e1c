import { describe, expect, it } from 'vitest';
import { errorsOf, minimalConfig } from './minimal-config.ts';

/** The minimal configuration with something put in place of a part of it, or added below it. */
const replacing = (part: string | RegExp, by: string) => minimalConfig.replace(part, () => by);
const adding = (text: string) => `${minimalConfig}${text}\n`;
const withRepositories = (text: string) => replacing(/repositories:[^]*/, `repositories:\n${text}\n`);
const withStore = (text: string) => withRepositories(`  - name: a\n    store: ${text}`);
const withRetention = (text: string) =>
  withRepositories(`  - name: a\n    store: {type: directory, path: /a}\n    retention: ${text}`);
const withCluster = (text: string) => replacing('endpoints: [https://127.0.0.1:2379]', text);
const withKeys = (text: string) => replacing('encryption: none', `encryption:\n  recipients: ${text}`);

const aes = '{type: aes-key-file, file: /k, name: k}';

describe('an error in the configuration', () => {
  it.each([
    // What is missing stands where its parent does.
    [
      'cluster: {}',
      [
        'config.yaml:1:1: cluster.name is missing; it must be 1 to 40 lower-case letters, digits or hyphens',
        'config.yaml:1:1: cluster.endpoints is missing; it must be a list of 1 to 64 URLs',
        'config.yaml:1:1: encryption is missing; it must be said: a section with recipients seals every backup, the word none stores the keyspace in the clear',
        'config.yaml:1:1: repositories is missing; it must be a list of 1 to 16 repositories',
      ],
    ],
    [
      withRepositories('  - name: a\n  - name: b'),
      [
        'config.yaml:6:5: repositories[0].store is missing; it must be a section with a type',
        'config.yaml:7:5: repositories[1].store is missing; it must be a section with a type',
      ],
    ],
    [
      withRetention('{daily: seven}'),
      ['config.yaml:8:24: repositories[0].retention.daily must be an integer ≥ 0, got "seven"'],
    ],
    [
      withRetention('{daily: -1}'),
      ['config.yaml:8:24: repositories[0].retention.daily must be an integer ≥ 0, got -1'],
    ],
    [
      withRetention('{daily: 1.5}'),
      ['config.yaml:8:24: repositories[0].retention.daily must be an integer ≥ 0, got 1.5'],
    ],
    [
      withRetention('{daily: 9007199254740993}'),
      ['config.yaml:8:24: repositories[0].retention.daily must be an integer ≥ 0, got 9007199254740992'],
    ],
    [
      withRetention('{keepMin: 0}'),
      ['config.yaml:8:26: repositories[0].retention.keepMin must be an integer ≥ 1, got 0'],
    ],
    [
      withRetention('{maxRemovedPercent: 50}'),
      ['config.yaml:8:36: repositories[0].retention.maxRemovedPercent must be a percentage from 0% to 100%, got 50'],
    ],
    [
      withRetention('{timeZone: Mars/Base}'),
      [
        'config.yaml:8:27: repositories[0].retention.timeZone must be a time zone such as UTC or Europe/Berlin (it is not known here), got "Mars/Base"',
      ],
    ],
    [
      withRetention('{keepLast: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0}'),
      ['config.yaml:8:16: repositories[0].retention keeps nothing: every count and keepWithin are 0'],
    ],
    [
      withRetention('7'),
      [
        'config.yaml:8:16: repositories[0].retention must be a section with keys such as keepLast and keepWithin, got 7',
      ],
    ],
    [
      adding('snapshot: {idleTimeout: 30}'),
      ['config.yaml:8:25: snapshot.idleTimeout must be a duration such as 30s, 15m or 7d, from 1s to 1h, got 30'],
    ],
    [
      adding('snapshot: {idleTimeout: 2d}'),
      ['config.yaml:8:25: snapshot.idleTimeout must be a duration such as 30s, 15m or 7d, from 1s to 1h, got "2d"'],
    ],
    [
      adding('snapshot: {idleTimeout: 10m, maxStreamHold: 10m}'),
      [
        'config.yaml:8:45: snapshot.maxStreamHold must be longer than snapshot.idleTimeout, which would never be reached',
      ],
    ],
    [
      adding('snapshot: {compression: gzip}'),
      ['config.yaml:8:25: snapshot.compression must be none or a section with algorithm and level, got "gzip"'],
    ],
    [
      adding('snapshot: {compression: {level: 20}}'),
      ['config.yaml:8:33: snapshot.compression.level must be an integer from 1 to 19, got 20'],
    ],
    [
      adding('snapshot: {spool: {maxSize: 1GiB}}'),
      ['config.yaml:8:29: snapshot.spool.maxSize needs snapshot.spool.directory too'],
    ],
    [
      adding('snapshot: {spool: {directory: spool, maxSize: 1GB}}'),
      [
        'config.yaml:8:31: snapshot.spool.directory must be an absolute path, or empty, got "spool"',
        'config.yaml:8:47: snapshot.spool.maxSize must be a size such as 64MiB or 8GiB, got "1GB"',
      ],
    ],
    [
      adding('snapshot: {spool: {directory: /spool}}'),
      [
        'config.yaml:8:31: snapshot.spool.directory needs snapshot.spool.maxSize above 0: an unbounded spool could fill the disk',
        'config.yaml:8:31: snapshot.spool.directory needs encryption: a spool holds sealed bytes only, never the keyspace in the clear',
      ],
    ],
    [
      withCluster('endpoints: []'),
      ['config.yaml:3:14: cluster.endpoints must be a list of 1 to 64 URLs, got a list of 0'],
    ],
    [
      withCluster('endpoints: https://a:1'),
      ['config.yaml:3:14: cluster.endpoints must be a list of 1 to 64 URLs, got "https://a:1"'],
    ],
    [
      withCluster('endpoints: [https://a:1, http://b:1]'),
      [
        'config.yaml:3:28: cluster.endpoints[1] must be https like the first of cluster.endpoints: all are http or all are https',
      ],
    ],
    [
      withCluster('endpoints: [https://a:1, https://a:1/]'),
      ['config.yaml:3:28: cluster.endpoints[1] is listed twice: https://a:1'],
    ],
    [
      withCluster('endpoints: [a:2379]'),
      [
        'config.yaml:3:15: cluster.endpoints[0] must be an http or https URL without a path, such as https://10.0.0.1:2379 (it does not start with http:// or https://), got "a:2379"',
      ],
    ],
    [
      withCluster('endpoints: [https://a:99999]'),
      [
        'config.yaml:3:15: cluster.endpoints[0] must be an http or https URL without a path, such as https://10.0.0.1:2379 (it is not a valid URL), got "https://a:99999"',
      ],
    ],
    [
      withCluster('endpoints: [https://a:1/v3]'),
      [
        'config.yaml:3:15: cluster.endpoints[0] must be an http or https URL without a path, such as https://10.0.0.1:2379 (it has something behind the host), got "https://a:1/v3"',
      ],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  endpointMap: {"http://x": "https://b:1", b: https://c:1}'),
      [
        'config.yaml:4:44: cluster.endpointMap: a key must be an http or https URL without a path, such as https://10.0.0.1:2379 (it does not start with http:// or https://), got "b"',
      ],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  endpointMap: {"https://x:1": "http://b:1"}'),
      [
        'config.yaml:4:32: cluster.endpointMap["https://x:1"] must be https like the first of cluster.endpoints: all are http or all are https',
      ],
    ],
    [
      withCluster('endpoints: [http://a:1]\n  tls: {caFile: /ca}'),
      ['config.yaml:4:17: cluster.tls.caFile has no effect: cluster.endpoints are http, not https'],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  tls: {keyFile: /key}'),
      ['config.yaml:4:18: cluster.tls.keyFile needs cluster.tls.certFile too'],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  auth: {username: root}'),
      ['config.yaml:4:3: cluster.auth.passwordFile is missing; it must be an absolute path'],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  metrics: "http://:pw@{host}/metrics?key=pw"'),
      [
        'config.yaml:4:12: cluster.metrics must be auto, off or a URL in which {host} stands for the host of a member (credentials have no place here), got "http://REDACTED@{host}/metrics?key=REDACTED"',
      ],
    ],
    [
      withCluster('endpoints: [https://a:1]\n  metrics: http://{node}/metrics'),
      [
        'config.yaml:4:12: cluster.metrics must be auto, off or a URL in which {host} stands for the host of a member (only {host} is replaced), got "http://{node}/metrics"',
      ],
    ],
    [
      adding('coordination: {key: /registry/lock}'),
      [
        'config.yaml:8:21: coordination.key must be a key that starts with / (/registry belongs to Kubernetes), got "/registry/lock"',
      ],
    ],
    [
      adding('schedules: {backup: {cron: "*/61 * * * *"}}'),
      [
        'config.yaml:8:28: schedules.backup.cron must be a cron expression of five or six fields, or empty (the step of minute "*/61" is not from 1 to 59), got "*/61 * * * *"',
      ],
    ],
    [
      adding('schedules: {prune: {after: backup, cron: "0 0 * * *"}}'),
      ['config.yaml:8:42: schedules.prune.cron cannot be given together with schedules.prune.after'],
    ],
    [
      adding('schedules: {verify: {subset: 15/14}}'),
      ['config.yaml:8:30: schedules.verify.subset must be a part such as 1/14, got "15/14"'],
    ],
    [
      adding('schedules: {defrag: {windows: [{from: 01:00, to: 25:00}]}}'),
      ['config.yaml:8:50: schedules.defrag.windows[0].to must be a time of day such as 01:30, got "25:00"'],
    ],
    [adding('defrag: {rules: [{}]}'), ['config.yaml:8:18: defrag.rules[0] has no condition: it would always be due']],
    [
      adding('defrag: {rules: [{reclaimableAbove: 10%}]}'),
      [
        'config.yaml:8:37: defrag.rules[0].reclaimableAbove must be a size such as 64MiB or a share such as 10%ofQuota, got "10%"',
      ],
    ],
    [adding('http: {listen: "9427"}'), ['config.yaml:8:16: http.listen must be host:port, got "9427"']],
    [
      adding('push: {textfile: /metrics.txt}'),
      ['config.yaml:8:18: push.textfile must be an absolute path that ends in .prom, or empty, got "/metrics.txt"'],
    ],
    [
      adding('log: {level: verbose}'),
      ['config.yaml:8:14: log.level must be debug, info, warn or error, got "verbose"'],
    ],
    [adding('version: 2'), ['config.yaml:8:10: version must be 1, got 2']],
    [
      withRepositories('  []'),
      ['config.yaml:6:3: repositories must be a list of 1 to 16 repositories, got a list of 0'],
    ],
    [
      withRepositories('  - text\n  -'),
      [
        'config.yaml:6:5: repositories[0] must be a section with keys such as name and store, got "text"',
        'config.yaml:7:4: repositories[1] must be a section with keys such as name and store, got nothing',
      ],
    ],
    [
      withRepositories(
        '  - {name: a, store: {type: directory, path: /a}}\n  - {name: a, store: {type: directory, path: b}}',
      ),
      [
        'config.yaml:7:12: repositories[1].name is used twice: a',
        'config.yaml:7:46: repositories[1].store.path must be an absolute path, got "b"',
      ],
    ],
    [withStore('{type: gcs}'), ['config.yaml:7:19: repositories[0].store.type must be s3 or directory, got "gcs"']],
    [withStore('{path: /a}'), ['config.yaml:7:5: repositories[0].store.type is missing; it must be s3 or directory']],
    [withStore('/a'), ['config.yaml:7:12: repositories[0].store must be a section with a type, got "/a"']],
    [
      withStore('{type: s3, bucket: abc, partSize: 4MiB}'),
      ['config.yaml:7:46: repositories[0].store.partSize must be auto or a size from 5MiB to 5GiB, got "4MiB"'],
    ],
    [
      withStore('{type: s3, bucket: abc, prefix: /a//b}'),
      [
        'config.yaml:7:44: repositories[0].store.prefix must be a key prefix such as etcd or backups/etcd (its parts are letters, digits and any of !_.*\'()-, with single slashes between them), got "/a//b"',
      ],
    ],
    [
      withStore('{type: s3, bucket: abc, serverSideEncryptionKey: k}'),
      [
        'config.yaml:7:61: repositories[0].store.serverSideEncryptionKey has an effect with serverSideEncryption: aws:kms only',
      ],
    ],
    [withKeys('[]'), ['config.yaml:5:15: encryption.recipients must be a list of 1 to 16 recipients, got a list of 0']],
    [withKeys(`[${aes}, ${aes}]`), ['config.yaml:5:94: encryption.recipients[1].name is used twice: k']],
    [
      withKeys('[{type: rsa-private-key, file: /k, name: k}]'),
      [
        'config.yaml:5:23: encryption.recipients[0].type must be aws-kms, aes-key-file or rsa-public-key, got "rsa-private-key"',
      ],
    ],
    [
      withKeys('[{type: aws-kms, keyArn: alias/etcd}]'),
      ['config.yaml:5:40: encryption.recipients[0].keyArn must be the ARN of a KMS key or alias, got "alias/etcd"'],
    ],
  ])('in %j is told exactly', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  // field: F139
  it('is an encryption that nobody decided on', () => {
    expect(errorsOf(replacing('encryption: none\n', ''))).toEqual([
      'config.yaml:1:1: encryption is missing; it must be said: a section with recipients seals every backup, the word none stores the keyspace in the clear',
    ]);
    expect(errorsOf(minimalConfig)).toEqual([]);
  });
});
