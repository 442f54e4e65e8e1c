import type { ClusterFacts, MemberFacts } from './facts.ts';

/** What the operator wants of this run, beyond the configuration. */
export interface DefragRequest {
  /** Name or hexadecimal id of the one member to defragment; undefined: all that are due. */
  readonly only?: string | undefined;
  /** Thresholds do not count: rules, `minReclaim` and cooldown. Safety always does. */
  readonly forceRule: boolean;
  /** Defragment releases of etcd too in which that can corrupt data. */
  readonly acceptUnsafeVersion: boolean;
  /** No window of the schedule is open: only members in an emergency. */
  readonly isOutsideWindow?: boolean;
  /** Members that were finished in this run, by id: they are not planned again. */
  readonly done: ReadonlySet<bigint>;
}

/** True where `only` names no member at all: wrong usage, which no plan answers. */
export function selectsNobody({ members }: Pick<ClusterFacts, 'members'>, only: string | undefined): boolean {
  return !members.some((member) => isAskedFor(member, members, only));
}

/** A name goes before an id, because a name may look like one. Names need not be unique: all of that name are meant. */
export function isAskedFor(member: MemberFacts, members: readonly MemberFacts[], only: string | undefined): boolean {
  if (only === undefined) return true;
  if (members.some(({ name }) => name === only)) return member.name === only;
  return member.id !== 0n && member.id === parseId(only);
}

/** As `etcdctl member list` prints it, with or without `0x`. */
function parseId(text: string): bigint | undefined {
  const [, digits] = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text) ?? [];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}
