import * as z from 'zod';
import { duration, section } from './fields.ts';
import { optionWithDefault, requiredOption, withRule } from './option.ts';
import { aws } from './schema/aws.ts';
import { cluster, coordination } from './schema/cluster.ts';
import { defrag } from './schema/defrag.ts';
import { encryption } from './schema/encryption.ts';
import { http, log, push, watch } from './schema/outlets.ts';
import { repositories } from './schema/repositories.ts';
import { schedules } from './schema/schedules.ts';
import { snapshot } from './schema/snapshot.ts';

/**
 * Every option of the configuration with its default and its reason. From this one schema come the checks, the types,
 * config.example.yaml, docs/configuration.md and the JSON schema.
 */
export const configSchema = withRule(
  section({
    version: optionWithDefault(
      z.literal(1, { error: 'must be 1' }).meta({ title: '1' }),
      1,
      'Version of this format. It changes when a default changes so that less is kept.',
    ),
    cluster: requiredOption(cluster, 'The etcd cluster. One file is about one cluster.', {
      name: 'prod',
      endpoints: ['https://127.0.0.1:2379'],
    }),
    coordination: optionWithDefault(coordination, {}, 'A lock in etcd: backup and defragmentation exclude each other.'),
    snapshot: optionWithDefault(snapshot, {}, 'How snapshots are taken.'),
    encryption: requiredOption(
      encryption,
      'Who can open the backups: a section with recipients, or the word none. It must be said.',
      'none',
    ),
    aws: optionWithDefault(
      aws,
      {},
      "Defaults for S3 and KMS. Credentials come from the AWS SDK's own chain: environment, profile, web identity, instance role.",
    ),
    repositories: requiredOption(
      repositories,
      'Where backups are kept. Every backup goes to every repository; one that fails does not keep the others from it.',
      [{ name: 'local', store: { type: 'directory', path: '/var/backups/etcd' } }],
    ),
    schedules: optionWithDefault(schedules, {}, 'When `run` does what, as cron expressions of five fields.'),
    defrag: optionWithDefault(defrag, {}, 'When a member is due for defragmentation, and how carefully.'),
    watch: optionWithDefault(
      watch,
      {},
      'How often `run` looks at what is there, whether or not it does anything itself.',
    ),
    http: optionWithDefault(http, {}, 'What `run` serves.'),
    push: optionWithDefault(push, {}, 'Metrics of one-shot runs, which nobody can scrape.'),
    log: optionWithDefault(log, {}, 'The log, on standard error.'),
    shutdownTimeout: optionWithDefault(
      duration('1s', '5m'),
      '25s',
      'How long a run may take to end cleanly once it was told to. Shorter than the grace period of whoever starts it.',
    ),
  }),
  ['snapshot.spool', 'encryption'],
  ({ snapshot: { spool }, encryption: chosen }, complain) => {
    if (spool.directory !== '' && chosen === 'none') {
      complain(
        ['snapshot', 'spool', 'directory'],
        'needs encryption: a spool holds sealed bytes only, never the keyspace in the clear',
      );
    }
  },
);

/** The options of a valid configuration, defaults filled in, values with a unit parsed. */
export type Settings = DeepReadonly<z.output<typeof configSchema>>;

/** A configuration and where it came from. */
export type Config = Settings & {
  readonly source: {
    /** The file, as it was named to us. */
    readonly fileName: string;
    /** Sections that the file gives, such as `defrag` or `schedules.backup`. */
    readonly sections: readonly string[];
  };
};

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
