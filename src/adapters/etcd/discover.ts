import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { ClusterView, Member } from '../../ports/etcd.ts';
import type { ListedMember } from './answers.ts';
import { normalUrl } from './endpoints.ts';
import { MemberClient, type MemberConnection } from './member.ts';
import { interruptedBy } from './errors.ts';

export interface DiscoveryOptions {
  /** In the order in which they are asked. */
  readonly endpoints: readonly string[];
  readonly discovery: 'members' | 'static';
  /** Advertised URL → URL that can be reached from here. */
  readonly endpointMap: ReadonlyMap<string, string>;
}

type Connection = Omit<MemberConnection, 'clusterId'>;

/** Asks one endpoint after the other until one answers; a dead one costs its dial limit, not the run. */
export async function discover(
  options: DiscoveryOptions,
  connection: Connection,
  signal: AbortSignal,
): Promise<ClusterView> {
  const skipped: { readonly endpoint: string; readonly error: WardenError }[] = [];
  for (const endpoint of options.endpoints) {
    try {
      return { ...(await discoverThrough(endpoint, options, connection, signal)), skipped };
    } catch (error) {
      if (signal.aborted) throw interruptedBy(signal);
      skipped.push({ endpoint, error: toWardenError(error) });
    }
  }
  throw nobodyAnswered(skipped);
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

/** With static discovery nothing is known of a member but where it is. */
function endpointAsMember(endpoint: string): Member {
  const url = normalUrl(endpoint);
  return { id: 0n, name: url.replace(/^https?:\/\//, ''), isLearner: false, endpoint: url };
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

/** One code where all endpoints fail for the same reason, such as a wrong CA or password; each reason is listed. */
function nobodyAnswered(skipped: readonly { readonly endpoint: string; readonly error: WardenError }[]): WardenError {
  const codes = new Set(skipped.map(({ error }) => error.code));
  const [only] = codes;
  const reasons = skipped.map(({ endpoint, error: { message } }) =>
    message.includes(endpoint) ? message : `${endpoint}: ${message}`,
  );
  const message = reasons.length === 0 ? 'cluster.endpoints is empty' : `no endpoint answered: ${reasons.join('; ')}`;
  return new WardenError(codes.size === 1 && only !== undefined ? only : 'etcd-unreachable', message, {
    cause: skipped[0]?.error,
    details: { endpoints: skipped.map(({ endpoint }) => endpoint) },
  });
}
