import { it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { openS3Store, startS3Server } from '../../support/s3.ts';
it('x', async () => {
  await using server = await startS3Server();
  const bucket = await server.makeBucket();
  const go = new AbortController().signal;
  for (const c of ['when-required','when-supported'] as const)
  for (let i=0;i<150;i++) {
    await using store = openS3Store(server, bucket, {checksums: c});
    await using u = await store.startUpload(`k${c}${i}`, {maxBytes: 2*5*1024**2}, go);
    await u.write(randomBytes(2.5*1024**2));
    await store.create(`k${c}${i}`, randomBytes(3), go);
    const t=Date.now();
    await u.complete().catch((e) => { if (e.code !== 'store-object-exists') console.log(c, i, Date.now()-t, e.code, e.message, e.cause); });
  }
}, 200000);
