import { isWardenError, toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { ClusterView, Member } from '../../ports/etcd.ts';
import type { ListedMember } from './answers.ts';
import { endpointAsMember, normalUrl } from './endpoints.ts';
import { MemberClient, type MemberConnection } from './member.ts';
import { interruptedBy } from './errors.ts';
import { requireOneCluster } from './one-cluster.ts';

export interface DiscoveryOptions {
  /** In the order in which they are asked. */
  readonly endpoints: readonly string[];
  readonly discovery: 'members' | 'static';
  /** Advertised URL → URL that can be reached from here. */
  readonly endpointMap: ReadonlyMap<string, string>;
}

type Connection = Omit<MemberConnection, 'clusterId'>;

/**
 * Asks one endpoint after the other until one answers; a dead one costs its dial limit, not the run. Those that were not
 * asked have to belong to the same cluster, as far as they answer.
 */
export async function discover(
  options: DiscoveryOptions,
  connection: Connection,
  signal: AbortSignal,
): Promise<ClusterView> {
  const skipped: FailedEndpoint[] = [];
  for (const [index, endpoint] of options.endpoints.entries()) {
    const found = await discoverThrough(endpoint, options, connection, signal).catch(toWardenError);
    if (signal.aborted) throw interruptedBy(signal);
    if (!(found instanceof WardenError)) {
      const unasked = options.endpoints.slice(index + 1);
      await requireOneCluster({ endpoint, clusterId: found.clusterId }, unasked, connection, signal);
      return { ...found, skipped };
    }
    skipped.push({ endpoint, error: found });
  }
  throw nothingFound(skipped);
}

interface FailedEndpoint {
  readonly endpoint: string;
  readonly error: WardenError;
}

async function discoverThrough(
  endpoint: string,
  options: DiscoveryOptions,
  connection: Connection,
  signal: AbortSignal,
): Promise<Omit<ClusterView, 'skipped'>> {
  await using client = new MemberClient(endpointAsMember(endpoint), { ...connection, clusterId: 0n });
  if (options.discovery === 'static') {
    const { clusterId } = await client.status(signal);
    return { clusterId, members: options.endpoints.map(endpointAsMember) };
  }
  const { clusterId, members } = await client.listMembers(signal);
  const known = { ...connection, clusterId };
  return { clusterId, members: await Promise.all(members.map((member) => locate(member, options, known, signal))) };
}

/** Settles on one URL of a member; several URLs are still one member. */
async function locate(
  listed: ListedMember,
  options: DiscoveryOptions,
  connection: MemberConnection,
  signal: AbortSignal,
): Promise<Member> {
  const { id, name, isLearner } = listed;
  const candidates = inOrderOfPreference(listed.clientUrls, options).map((endpoint) => ({
    id,
    name,
    isLearner,
    endpoint,
  }));
  const [first] = candidates;
  if (first === undefined) return { id, name, isLearner, endpoint: undefined };
  if (candidates.length === 1) return first;
  for (const candidate of candidates) {
    if (await answersAsItself(candidate, connection, signal)) return candidate;
  }
  return first;
}

/** Mapped URLs first, then those that the operator gave as endpoints, then the rest as advertised. */
function inOrderOfPreference(clientUrls: readonly string[], options: DiscoveryOptions): readonly string[] {
  const map = new Map([...options.endpointMap].map(([from, to]) => [normalUrl(from), normalUrl(to)]));
  const configured = new Set(options.endpoints.map(normalUrl));
  const dialable = clientUrls.filter((url) => /^https?:/.test(url));
  // etcd may advertise unix:// too; without anything better, dialling that says what is wrong.
  const advertised = (dialable.length > 0 ? dialable : clientUrls).map(normalUrl);
  const mapped = advertised.flatMap((url) => map.get(url) ?? []);
  const unmapped = advertised.filter((url) => !map.has(url));
  const given = unmapped.filter((url) => configured.has(url));
  const others = unmapped.filter((url) => !configured.has(url));
  return [...new Set([...mapped, ...given, ...others])];
}

/** 127.0.0.1 in another host's list leads to the wrong member: it has to say who it is. */
async function answersAsItself(candidate: Member, connection: MemberConnection, signal: AbortSignal): Promise<boolean> {
  try {
    await using client = new MemberClient(candidate, connection);
    await client.status(signal);
    return true;
  } catch {
    if (signal.aborted) throw interruptedBy(signal);
    return false;
  }
}

/**
 * Each reason is listed once. "No answer" is said only where that is what happened: a missing file of ours or a refused
 * password is no endpoint's silence, and then its code and hint are what the operator needs.
 */
function nothingFound(failed: readonly FailedEndpoint[]): WardenError {
  const [first] = failed;
  if (first === undefined) return new WardenError('etcd-unreachable', 'cluster.endpoints is empty');
  const spoke = failed.find(({ error }) => !isWardenError(error, ...silenceCodes));
  const { code, hint } = (spoke ?? first).error;
  const reasons = [...new Set(failed.map(({ endpoint, error }) => reasonOf(endpoint, error)))].join('; ');
  const areAlike = failed.every(({ error }) => error.code === code);
  return new WardenError(
    spoke === undefined && !areAlike ? 'etcd-unreachable' : code,
    spoke === undefined ? `no endpoint answered: ${reasons}` : reasons,
    {
      cause: (spoke ?? first).error,
      details: { endpoints: failed.map(({ endpoint }) => endpoint) },
      ...((spoke !== undefined || areAlike) && { hint }),
    },
  );
}

const silenceCodes = ['etcd-unreachable', 'etcd-deadline'] as const;

/** Of a file of ours no endpoint is to be named: it is the same for all. */
function reasonOf(endpoint: string, { code, message }: WardenError): string {
  const isNamed = message.includes(endpoint) || message.includes(normalUrl(endpoint));
  return isNamed || !silenceCodes.some((silence) => silence === code) ? message : `${endpoint}: ${message}`;
}
