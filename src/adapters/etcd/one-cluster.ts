import { WardenError } from '../../errors/warden-error.ts';
import { hex } from './answers.ts';
import { endpointAsMember, normalUrl } from './endpoints.ts';
import { interruptedBy } from './errors.ts';
import { MemberClient, type MemberConnection } from './member.ts';

/** One lost packet is forgiven; more is not waited for, since a dead endpoint proves nothing here. */
const askTimeoutMs = 2_000;

export interface AnsweredEndpoint {
  readonly endpoint: string;
  readonly clusterId: bigint;
}

/**
 * Rejects with `etcd-cluster-mismatch` where one of `others` says that it belongs to another cluster than the endpoint
 * that answered: on the day on which that one is down, the other cluster's data would go under this one's name.
 * All are asked at once, and one that does not answer soon is passed over.
 */
export async function requireOneCluster(
  answered: AnsweredEndpoint,
  others: readonly string[],
  connection: Omit<MemberConnection, 'clusterId'>,
  signal: AbortSignal,
): Promise<void> {
  const own = normalUrl(answered.endpoint);
  const toAsk = [...new Set(others.map(normalUrl))].filter((url) => url !== own);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(askTimeoutMs)]);
  const answers = await Promise.all(toAsk.map((endpoint) => askCluster(endpoint, connection, limit)));
  if (signal.aborted) throw interruptedBy(signal);
  const stranger = answers.find((answer) => answer !== undefined && answer.clusterId !== answered.clusterId);
  if (stranger !== undefined) throw mismatch({ ...answered, endpoint: own }, stranger);
}

async function askCluster(
  endpoint: string,
  connection: Omit<MemberConnection, 'clusterId'>,
  signal: AbortSignal,
): Promise<AnsweredEndpoint | undefined> {
  try {
    await using client = new MemberClient(endpointAsMember(endpoint), { ...connection, clusterId: 0n });
    const { clusterId } = await client.status(signal);
    return { endpoint, clusterId };
  } catch {
    return undefined;
  }
}

function mismatch(one: AnsweredEndpoint, other: AnsweredEndpoint): WardenError {
  const told = [one, other].map(({ endpoint, clusterId }) => `${endpoint} belongs to cluster ${hex(clusterId)}`);
  return new WardenError('etcd-cluster-mismatch', `cluster.endpoints lead to two clusters: ${told.join(', ')}`, {
    details: { endpoints: [one.endpoint, other.endpoint], clusterIds: [hex(one.clusterId), hex(other.clusterId)] },
  });
}
