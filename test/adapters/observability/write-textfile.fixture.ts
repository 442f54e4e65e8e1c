import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import { writeTextfile } from '../../../src/adapters/observability/textfile.ts';

/** Writes into a textfile as often as that many one-shot runs of a cluster would. */
const [path = '', cluster = '', rounds = ''] = process.argv.slice(2);
for (let round = 1; round <= Number(rounds); round += 1) {
  const metrics = createMetrics({ cluster, version: '1.2.3' });
  metrics.jobEnded('backup', { result: 'succeeded', seconds: 1, at: new Date(round * 1000) });
  await writeTextfile(path, await metrics.runFacts(), new AbortController().signal);
}
