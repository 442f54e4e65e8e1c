import type { Story } from '../support/story.ts';
import { always, between } from '../support/timelines.ts';
import { ofMember, wellCluster } from '../support/well-cluster.ts';

/** What an agent sees of the members of etcd. */
export const memberStories: readonly Story[] = [
  {
    title: 'are raised when a member stays near its quota, until it shrinks',
    minutes: 220,
    series: { ...wellCluster, [ofMember.size('m2')]: between(60, 200, 950, always(400)) },
    raised: [
      {
        alert: 'EtcdMemberNearQuota',
        severity: 'warning',
        labels: { cluster: 'prod', member: 'm2' },
        from: 60 + 30,
        to: 195,
        summary: 'm2 of prod uses 95% of its quota.',
      },
    ],
  },
  {
    title: 'wait for an hour where a member shrank that is still near its quota',
    minutes: 140,
    series: { ...wellCluster, [ofMember.size('m2')]: between(0, 25, 980, always(910)) },
    raised: [
      {
        alert: 'EtcdMemberNearQuota',
        severity: 'warning',
        labels: { cluster: 'prod', member: 'm2' },
        from: 25 + 60 + 30,
        to: 140,
        summary: 'm2 of prod uses 91% of its quota.',
      },
    ],
  },
  {
    title: 'are raised when a member is out of space, until the alarm is lifted',
    minutes: 120,
    series: { ...wellCluster, [ofMember.alarm('m1', 'NOSPACE')]: between(60, 100, 1, always(0)) },
    raised: [
      {
        alert: 'EtcdMemberNoSpace',
        severity: 'critical',
        labels: { cluster: 'prod', member: 'm1' },
        from: 65,
        to: 95,
        summary: 'prod takes no writes: m1 is out of space.',
      },
    ],
  },
  {
    title: 'are raised when etcd found a member corrupt',
    minutes: 120,
    series: { ...wellCluster, [ofMember.alarm('m3', 'CORRUPT')]: between(60, 100, 1, always(0)) },
    raised: [
      {
        alert: 'EtcdMemberCorrupt',
        severity: 'critical',
        labels: { cluster: 'prod', member: 'm3' },
        from: 65,
        to: 95,
        summary: 'The data of m3 of prod differ from those of the others.',
      },
    ],
  },
  {
    title: 'are raised when a member does not answer, but not while it is defragmented',
    minutes: 120,
    series: {
      ...wellCluster,
      [ofMember.reachable('m2')]: between(60, 100, 0, always(1)),
      [ofMember.reachable('m3')]: between(60, 70, 0, always(1)),
    },
    raised: [
      {
        alert: 'EtcdMemberUnreachable',
        severity: 'warning',
        labels: { cluster: 'prod', member: 'm2' },
        from: 75,
        to: 95,
        summary: 'm2 of prod does not answer etcd-warden.',
      },
    ],
  },
];
