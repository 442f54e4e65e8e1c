import { defineConfig } from 'vitest/config';

/** One project for each suffix, so that a run can be limited to what a machine has. */
const project = (name: string, include: string[], exclude: string[] = [], testTimeout = 10_000) => ({
  test: { name, include, exclude, testTimeout, hookTimeout: 60_000 },
});

const needsServers = ['test/**/*.{etcd,s3,kms,fault,e2e,kubernetes}.test.ts'];

/** Its servers take ten minutes to build: `npm run test:kubernetes`. */
const withKubernetes = process.env['KUBERNETES'] === 'whole';

export default defineConfig({
  test: {
    // Two cores are what the tests may count on, and real servers take their share.
    maxWorkers: 2,
    projects: [
      project('unit', ['test/**/*.test.ts'], needsServers),
      project('etcd', ['test/**/*.etcd.test.ts'], [], 120_000),
      project('s3', ['test/**/*.s3.test.ts'], [], 120_000),
      project('kms', ['test/**/*.kms.test.ts'], [], 120_000),
      project('fault', ['test/**/*.fault.test.ts'], [], 120_000),
      project('e2e', ['test/**/*.e2e.test.ts'], [], 300_000),
      ...(withKubernetes ? [project('kubernetes', ['test/**/*.kubernetes.test.ts'], [], 300_000)] : []),
    ],
  },
});
