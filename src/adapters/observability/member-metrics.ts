import type { Registry } from 'prom-client';
import type { MemberMeasures, Metrics } from '../../ports/metrics.ts';
import { fact, spread, tally } from './instruments.ts';
import { alarm as alarms, valuesOf } from './label-values.ts';
import { labelMember } from './member-names.ts';
import { catalogue } from './metric-catalogue.ts';

export function createMemberMetrics(registry: Registry): Pick<Metrics, 'membersSeen' | 'memberDefragmented'> {
  const dbSize = fact(registry, catalogue.memberDbSize);
  const inUse = fact(registry, catalogue.memberDbInUse);
  const quota = fact(registry, catalogue.memberQuota);
  const reachable = fact(registry, catalogue.memberReachable);
  const isLeader = fact(registry, catalogue.memberIsLeader);
  const alarmRaised = fact(registry, catalogue.memberAlarm);
  const reclaimed = tally(registry, catalogue.defragReclaimed);
  const defragDurations = spread(registry, catalogue.defragDuration);
  /** Label and name of each. Of members that share a name, defragmentations are counted for the first. */
  let known: ReadonlyMap<string, string> = new Map();

  const labelAll = (names: readonly string[]): void => {
    const labelled = new Map<string, string>();
    for (const name of names) {
      const label = labelMember(name, [...labelled.keys()]);
      if (label !== undefined) labelled.set(label, name);
    }
    for (const member of known.keys()) {
      if (labelled.has(member)) continue;
      reclaimed.remove({ member });
      defragDurations.remove({ member });
    }
    for (const member of labelled.keys()) reclaimed.add({ member }, 0);
    known = labelled;
  };

  const set = (member: string, measures: MemberMeasures): void => {
    dbSize.set({ member }, measures.dbSizeBytes);
    inUse.set({ member }, measures.inUseBytes);
    quota.set({ member }, measures.quotaBytes);
    reachable.set({ member }, measures.reachable ? 1 : 0);
    isLeader.set({ member }, measures.isLeader ? 1 : 0);
    for (const alarm of valuesOf(alarms)) alarmRaised.set({ member, alarm }, measures.alarms.includes(alarm) ? 1 : 0);
  };

  return {
    membersSeen: (members) => {
      labelAll(members.map(({ name }) => name));
      for (const family of [dbSize, inUse, quota, reachable, isLeader, alarmRaised]) family.clear();
      // A label was given to each in turn, until there were too many.
      for (const [index, label] of [...known.keys()].entries()) {
        const measures = members[index];
        if (measures !== undefined) set(label, measures);
      }
    },
    memberDefragmented: (name, { seconds, reclaimedBytes }) => {
      const names = [...known.values()];
      if (!names.includes(name)) labelAll([...names, name]);
      const member = [...known].find((entry) => entry[1] === name)?.[0];
      if (member === undefined) return;
      reclaimed.add({ member }, reclaimedBytes ?? 0);
      defragDurations.observe({ member }, seconds);
    },
  };
}
