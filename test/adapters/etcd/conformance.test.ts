import { describeEtcdConformance } from '../../conformance/etcd.ts';
import { startFakeEtcd } from '../../support/fake-etcd.ts';
import { etcdFor } from './connect.ts';

describeEtcdConformance('the fake server of the tests', async () => {
  const fake = await startFakeEtcd();
  const etcd = etcdFor({ endpoints: [fake.endpoint], certificates: undefined });
  return { etcd, memberCount: 1, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
});
