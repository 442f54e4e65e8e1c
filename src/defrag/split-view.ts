import type { ClusterFacts } from './facts.ts';
import { answeringVoters } from './voters.ts';
import { enumerate, hexId, nameOf, nameOfId } from './words.ts';

type Members = Pick<ClusterFacts, 'members'>;

/** How the voters, or we and they, disagree about the cluster, in a sentence; undefined where all see the same. */
export function describeSplitView(facts: Members): string | undefined {
  return describeDoubtfulIds(facts) ?? describeLists(facts) ?? describeLeaders(facts) ?? describeTerms(facts);
}

/** One member listed twice, as by two names for one address, would be counted as two votes. */
function describeDoubtfulIds({ members }: Members): string | undefined {
  const known = members.filter(({ id }) => id !== 0n);
  const twice = known.find((member, index) => known.findIndex(({ id }) => id === member.id) < index);
  if (twice !== undefined) {
    const names = known.filter(({ id }) => id === twice.id).map(({ name }) => name);
    return `member ${hexId(twice.id)} is listed more than once, as ${enumerate(names.sort())}`;
  }
  const nameless = answeringVoters({ members }).find(({ id }) => id === 0n);
  return nameless && `${nameOf(nameless)} answered, but what its id is, is not known`;
}

/** A listed member whose id is not known may be any one of those that the voters know. */
function describeLists(facts: Members): string | undefined {
  const { members } = facts;
  for (const voter of answeringVoters(facts)) {
    const known = voter.answer.knownMemberIds;
    if (known === undefined) continue;
    const unknownToIt = members.find(({ id }) => id !== 0n && !known.includes(id));
    if (unknownToIt !== undefined) return `${nameOf(voter)} does not know of member ${nameOf(unknownToIt)}`;
    if (new Set(known).size === members.length) continue;
    const unlisted = known.filter((id) => !members.some((member) => member.id === id)).map(hexId);
    return `${nameOf(voter)} knows of ${known.length} members, ${members.length} are listed: ${enumerate(unlisted)} ${unlisted.length === 1 ? 'is' : 'are'} not`;
  }
  return undefined;
}

function describeLeaders(facts: Members): string | undefined {
  const voters = answeringVoters(facts);
  const views = voters.map((voter) => `${nameOf(voter)} follows ${nameOfId(voter.answer.leaderId, facts.members)}`);
  const leaders = new Set(voters.map(({ answer }) => answer.leaderId));
  if (leaders.size > 1) return `the voters disagree about the leader: ${enumerate(views)}`;
  const stranger = [...leaders].find((id) => !facts.members.some((member) => member.id === id && !member.isLearner));
  return stranger === undefined ? undefined : `the leader ${nameOfId(stranger, facts.members)} is not a listed voter`;
}

function describeTerms(facts: Members): string | undefined {
  const voters = answeringVoters(facts);
  if (new Set(voters.map(({ answer }) => answer.raftTerm)).size < 2) return undefined;
  const terms = voters.map((voter) => `${nameOf(voter)} is in ${voter.answer.raftTerm}`);
  return `the voters disagree about the raft term: ${enumerate(terms)}`;
}
