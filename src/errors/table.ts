/** Exit statuses, as docs/errors.md lists them. */
export const exitStatus = { ok: 0, failed: 1, usage: 2, damage: 3, refused: 4, partly: 5, busy: 6 } as const;

interface ErrorRow {
  readonly exitStatus: number;
  /** Whether the same call may succeed a moment later without anybody's help. */
  readonly retryable: boolean;
  /** The operator's next step: a whole sentence. */
  readonly hint: string;
}

const row = (status: number, hint: string): ErrorRow => ({ exitStatus: status, retryable: false, hint });
const passing = (status: number, hint: string): ErrorRow => ({ exitStatus: status, retryable: true, hint });
const { failed, usage, damage, refused, partly, busy } = exitStatus;

/**
 * Every error code with its exit status and hint. Codes are stable: scripts and alerts rely on them.
 * docs/errors.md is generated from this table.
 */
export const errorTable = {
  // Usage and configuration: nothing was contacted.
  'usage': row(usage, 'See `etcd-warden help` for commands and options.'),
  'config-not-found': row(usage, 'Give the file with --config FILE or ETCD_WARDEN_CONFIG; config.example.yaml shows every key.'),
  'config-invalid': row(usage, 'Correct the lines named; `etcd-warden config check` shows all of them at once.'),
  'secret-unreadable': row(usage, 'Make the file exist and be readable by the user that runs etcd-warden.'),
  'key-file-invalid': row(usage, 'An AES key file holds exactly 32 random bytes; RSA keys are PEM files.'),
  'target-exists': row(usage, 'Choose a path that does not exist yet; nothing is ever overwritten.'),

  // etcd, reached or not.
  'etcd-unreachable': passing(failed, 'Check that the endpoint is right and reachable from here; cluster.endpointMap turns advertised URLs into reachable ones.'),
  'etcd-tls-unknown-ca': row(failed, 'Set cluster.tls.caFile to the CA that signed the server certificate.'),
  'etcd-tls-expired': row(failed, 'Renew the certificate named.'),
  'etcd-tls-name-mismatch': row(failed, 'Set cluster.tls.serverName to a name in the certificate, or map the URL with cluster.endpointMap.'),
  'etcd-tls-client-certificate': row(failed, 'Set cluster.tls.certFile and keyFile to a client certificate that this etcd accepts.'),
  'etcd-tls-plain-server': row(failed, 'This endpoint does not speak TLS: write http:// in cluster.endpoints, or turn TLS on in etcd.'),
  'etcd-tls-required': row(failed, 'This endpoint speaks TLS: write https:// in cluster.endpoints and set cluster.tls.'),
  'etcd-tls-failed': row(failed, 'Check the certificates in cluster.tls against the server.'),
  'etcd-auth-failed': row(failed, 'Check cluster.auth.username and passwordFile.'),
  'etcd-auth-required': row(failed, 'Authentication is on in this etcd: set cluster.auth to a user with the root role.'),
  'etcd-permission-denied': row(failed, 'Maintenance calls need a user with the root role: `etcdctl user grant-role NAME root`.'),
  'etcd-deadline': passing(failed, 'The member did not answer in time; look at its load and its disk.'),
  'etcd-no-leader': passing(failed, 'The cluster has no leader; look at the members with `etcdctl endpoint status`.'),
  'etcd-member-mismatch': row(failed, 'The URL leads to another member than the one it was listed for; set cluster.endpointMap.'),
  'etcd-cluster-mismatch': row(failed, 'Every endpoint must belong to one etcd cluster; check cluster.endpoints.'),
  'etcd-compacted': row(failed, 'The revision was compacted meanwhile; ask for a newer one.'),
  'etcd-future-revision': passing(failed, 'The member has not reached the revision yet.'),
  'etcd-call-failed': passing(failed, 'See the message of etcd and its log.'),
  'etcd-answer-invalid': row(failed, 'Something between here and etcd does not speak the etcd API as it should.'),
  'no-member': passing(failed, 'No member could serve a snapshot; the reasons are listed member by member.'),

  // The stream and what it carries.
  'stream-interrupted': passing(failed, 'The connection to the member was lost in the middle; another member is tried.'),
  'stream-stalled': passing(failed, 'No byte came within snapshot.idleTimeout; look at the member and the network.'),
  'stream-held-too-long': row(failed, 'An open snapshot pins free pages of etcd. Make the store faster, raise snapshot.maxStreamHold, or set snapshot.spool.'),
  'stream-short': passing(damage, 'The member ended the stream early; nothing was stored.'),
  'stream-too-long': passing(damage, 'The member sent more than it announced; nothing was stored.'),
  'trailer-missing': row(damage, 'A snapshot ends in 32 bytes of SHA-256; a raw copy of a db file has none.'),
  'trailer-mismatch': row(damage, 'The bytes are not those that etcd sent; do not restore from them.'),
  'snapshot-damaged': row(damage, 'The database inside is not sound; take a backup from another member and look at this one.'),
  'snapshot-not-etcd': row(damage, 'This is not a database of etcd; give a snapshot file, or look at what answers under that endpoint.'),
  'snapshot-not-fresh': passing(failed, 'The member lags behind the cluster; another member is tried.'),
  'snapshot-hash-differs': row(damage, 'Members disagree about the data at one revision: treat it as corruption and see docs/corruption.md.'),

  // Stores.
  'store-unreachable': passing(failed, 'Check the endpoint and the network; a proxy is set with aws.proxy or HTTPS_PROXY.'),
  'store-tls-failed': row(failed, 'Set caFile to the CA of the store, or correct its endpoint.'),
  'store-timeout': passing(failed, 'The store did not answer in time.'),
  'store-throttled': passing(failed, 'The store asks to slow down; lower concurrency.'),
  'store-access-denied': row(failed, 'Grant the rights that docs/permissions.md lists for this command.'),
  'store-credentials': row(failed, 'Give credentials by the AWS chain: environment, profile, web identity or instance role.'),
  'store-bucket-missing': row(failed, 'Create the bucket, or correct store.bucket.'),
  'store-wrong-region': row(failed, 'Set store.region to the region named.'),
  'store-clock-skew': row(failed, 'Set the clock of this machine.'),
  'store-checksum-refused': row(failed, 'This store refuses checksum headers: set store.checksums to when-required.'),
  'store-full': row(failed, 'Make room on the disk or raise the quota of the store.'),
  'store-not-writable': row(failed, 'Make the directory exist, let the user that runs etcd-warden read and write it, and put no symbolic links into it.'),
  'store-object-exists': row(failed, 'Objects are never overwritten.'),
  'store-object-archived': row(failed, 'The object was moved to an archive storage class: restore it first with `aws s3api restore-object …` and try again, or use another backup or repository.'),
  'store-object-missing': row(damage, 'The object was removed or never stored; choose another backup or repository.'),
  'store-refused': row(failed, 'The store understood and refused; see its message.'),
  'store-failed': passing(failed, 'See the message of the store.'),
  'repository-too-slow': row(failed, 'This repository could not keep up and was left out of the backup; look at its bandwidth.'),

  // Keys.
  'key-denied': row(failed, 'Grant kms:GenerateDataKey, kms:Encrypt and kms:Decrypt on the key to this role.'),
  'key-unavailable': row(failed, 'The key is disabled, missing or waits for deletion; enable it or use another recipient.'),
  'key-unreachable': passing(failed, 'Check the KMS endpoint, the region and the network.'),
  'no-identity': row(failed, 'Give a configuration (--config) with a key that can open it, under the name that it was sealed to, among encryption.recipients or encryption.identities.'),
  'not-encrypted': row(failed, 'Encryption is configured but the bytes were not sealed: nothing was stored. Please report this.'),

  // Stored backups.
  'backup-not-found': row(failed, '`etcd-warden list --all` shows what there is.'),
  'backup-ambiguous': row(failed, 'Give more characters of the backup id.'),
  'manifest-invalid': row(damage, 'The manifest is not one that etcd-warden wrote, or was altered; choose another backup.'),
  'manifest-unsupported': row(failed, 'A newer etcd-warden wrote this backup; use that version or a later one.'),
  'manifest-differs': row(damage, 'The bytes are sound and whole, but the manifest tells other facts of them: it was altered, or another version counted otherwise.'),
  'object-damaged': row(damage, 'The stored bytes are not those that were written; choose another backup or repository.'),
  'context-mismatch': row(damage, 'The object belongs to another cluster, lineage or backup than its place says.'),
  'format-mismatch': row(damage, 'The bytes are of another format than expected; the message names both.'),
  'not-a-snapshot': row(damage, 'Give a snapshot as etcdctl saves it, or a snapshot object of a repository.'),
  'too-complex': row(damage, 'The file needs more memory or work to inspect than a sound one ever would.'),
  'commit-conflict': row(failed, 'Another writer stored something else under this very name; nothing was overwritten.'),

  // Retention.
  'prune-refused': row(refused, 'Nothing was removed. `etcd-warden prune --dry-run` shows the plan and the reason.'),
  'partly-pruned': row(partly, 'The next prune tries again what could not be removed; each reason is listed.'),

  // The lock of the cluster.
  'busy': row(busy, 'Another run holds the lock of this cluster; wait for it. After a crash the lock ends by itself within coordination.ttl.'),
  'lock-lost': row(failed, 'Another run may work on this cluster now, so this one stopped; look at what the other does, then run the command again.'),

  // Holds.
  'hold-not-found': row(failed, '`etcd-warden show ID` lists the holds of a backup.'),
  'hold-ambiguous': row(failed, 'Say which hold with --name.'),
  'partly-held': row(partly, 'Some repositories did what was asked and others did not, each for its reason; run the command again.'),

  // Defragmentation.
  'defrag-refused': row(refused, '`etcd-warden status` shows the members; docs/defragmentation.md says what to do for each reason.'),
  'defrag-failed': row(failed, 'Look at the log of the member named; no other member was touched after it.'),
  'defrag-unfinished': row(failed, 'The member may still be at work: do not restart it and do not defragment another one until it serves again.'),
  'nospace-stays': row(failed, 'Compact the history and defragment, or raise the quota: etcd takes no writes until the alarm is lifted; see docs/defragmentation.md.'),
  'partly-defragmented': row(partly, 'What was done stays done; run the command again once the reason is gone.'),

  // The daemon and what it tells.
  'http-listen-failed': row(usage, 'Set http.listen to an address of this machine and a port that nobody else uses.'),
  'textfile-unwritable': row(usage, 'Make the folder of push.textfile exist and be writable by the user that runs etcd-warden.'),
  'push-failed': passing(failed, 'Look at the Pushgateway named in push.gateway; the run itself is not affected.'),
  'look-too-long': passing(failed, 'A look takes seconds: see what hangs, such as a mount, a name server or a proxy.'),
  'agent-died': row(failed, 'A part of the daemon failed, so all of it ended; let it be started again, and report this if it repeats.'),

  // Local files and the process.
  'file-failed': row(failed, 'See the message of the operating system.'),
  'no-backup-stored': row(failed, 'No repository holds the backup; each reason is listed.'),
  'repositories-failed': row(partly, 'At least one repository holds the backup; the failed ones are named.'),
  'member-damaged': row(partly, 'The backup is good, but look at the member named: docs/corruption.md.'),
  'partly-verified': row(partly, 'Some backups were proved whole; the others could not be read, each for its reason.'),
  'deadline-exceeded': passing(failed, 'Give --deadline more time, or look at what was slow: the last stage is in the log.'),
  'run-too-long': row(failed, 'A run must end within a day (or four times snapshot.maxStreamHold), because what is older is swept; look at what held it up.'),
  'interrupted': row(failed, 'Run the command again.'),
  'refused': row(refused, 'The reason is named.'),
  'internal': row(failed, 'This is a defect of etcd-warden; please report it with the message.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
