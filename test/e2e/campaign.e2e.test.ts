import { describe, expect, test } from 'vitest';
import { etcdVersions } from '../support/toolchain.ts';
import { Round, type RoundOptions, type Verdict } from './campaign/round.ts';

/**
 * Backups under a busy writer, judged by etcd's own tools and by what the writer was told (docs/verification.md).
 * `npm test` takes a few of each version; `npm run test:campaign` twenty, and holds the totals against their limits.
 */
const isWhole = process.env['CAMPAIGN'] === 'whole';
const seed = Number(process.env['CAMPAIGN_SEED'] ?? (isWhole ? Math.floor(Math.random() * 1_000_000) : 1));
const backups = isWhole ? 20 : 3;
const rounds: readonly RoundOptions[] = [
  ...etcdVersions.map((version, index) => ({ version, members: 1 as const, seed: seed + index })),
  { version: '3.6', members: 3, seed: seed + etcdVersions.length },
];

/** Of the backups whose compaction is followed by writes, as many are compared with the live members. */
const leastComparable = 0.95;

describe(`campaign of seed ${seed}`, () => {
  const verdicts: Verdict[] = [];

  // field: F031
  test.each(rounds)(
    'etcd $version, $members member(s), seed $seed: every backup is what etcdutl, etcd and the writer say it is',
    { timeout: 60_000 + backups * 60_000 },
    async (options) => {
      await using round = await Round.start(options);
      for (let index = 0; index < backups; index++) {
        // The first one falls right behind a compaction, the others wherever they fall.
        if (index === 0) await round.writer.nextCompaction();
        const verdict = await round.backUpAndJudge(index);
        verdicts.push(verdict);
        console.log(describeVerdict(verdict));
        expect(verdict.faults, `${verdict.manifest.id}, seed ${options.seed}`).toEqual([]);
      }
      console.log(describeWriter(round));
    },
  );

  // field: F026
  // field: F033
  test('no live member differs, and nearly all backups could be compared', () => {
    const checks = verdicts.map(({ manifest }) => manifest.checks.find(({ name }) => name === 'live-hash')?.result);
    const members = verdicts.flatMap(({ manifest }) => manifest.liveMembers.map(({ result }) => result));
    const followed = verdicts.filter(
      ({ manifest: { snapshot } }) => BigInt(snapshot.revision) > BigInt(snapshot.compactRevision),
    );
    const comparable = followed.filter(({ manifest }) => manifest.liveMembers.some(({ result }) => result === 'equal'));
    console.log(`${verdicts.length} backups, live-hash ${countEach(checks)}; answers of members ${countEach(members)}`);
    console.log(`${comparable.length} of ${followed.length} with writes after the compaction were comparable`);
    expect(checks).not.toContain('differs');
    expect(members).not.toContain('differs');
    if (isWhole) expect(comparable.length / followed.length).toBeGreaterThanOrEqual(leastComparable);
  });
});

function describeVerdict({ manifest, variant, keys, revisionsSinceStart }: Verdict): string {
  const { snapshot, liveMembers, timings } = manifest;
  const revisions = `revision ${snapshot.revision} (+${revisionsSinceStart} since the start), compacted at ${snapshot.compactRevision}`;
  const live = liveMembers.map(({ result }) => result).join(' ');
  return `${manifest.id}: ${revisions}, ${keys} keys, ${snapshot.sizeBytes} bytes in ${timings.streamHeldMs} ms, live ${live}; ${variant}`;
}

function describeWriter({ journal, writer }: Round): string {
  const [puts, deletions, revocations] = (['put', 'delete', 'revoke'] as const).map((kind) => journal.count(kind));
  return `the writer: ${puts} puts, ${deletions} deletions, ${revocations} leases revoked, ${writer.compactions} compactions`;
}

function countEach(results: readonly (string | undefined)[]): string {
  const counts = Map.groupBy(results, (result) => result ?? 'absent');
  return [...counts].map(([result, { length }]) => `${result} ${length}`).join(', ');
}
