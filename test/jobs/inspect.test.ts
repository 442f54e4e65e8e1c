import { expect, it } from 'vitest';
import { inspectFile, type InspectedFile } from '../../src/jobs/inspect.ts';
import { etcdSnapshot } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryFiles } from '../support/memory-files.ts';
import { flipLastBit, silent } from './repositories.ts';

const go = new AbortController().signal;
const inspect = (bytes: Buffer): Promise<InspectedFile> =>
  inspectFile(createMemoryFiles({ '/in/s.db': bytes }), '/in/s.db', [], silent, go);

it('a sound file has its facts and no problem', async () => {
  expect(await inspect(etcdSnapshot())).toMatchObject({
    path: '/in/s.db',
    format: 'a bolt database',
    inspection: { verdict: 'sound', revision: 8n },
    problem: undefined,
  });
});

it('damage is a fact beside the others, and the problem', async () => {
  expect(await inspect(flipLastBit(etcdSnapshot()))).toMatchObject({
    inspection: { verdict: 'damaged', trailer: 'differs', revision: 8n },
    problem: wardenError('trailer-mismatch'),
  });
});

// field: F023
it.each([0, 1, 31, 32, 511, 512, 4096, 8191])('%i bytes of nonsense have a verdict', async (sizeBytes) => {
  const { inspection, problem } = await inspect(Buffer.alloc(sizeBytes, 1));
  expect([inspection.verdict, problem?.exitStatus]).toEqual(['damaged', 3]);
});
