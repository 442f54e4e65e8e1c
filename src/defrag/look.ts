import type { ClusterFacts } from './facts.ts';
import type { DefragRefusal, DefragStep } from './plan.ts';
import type { DefragPolicy } from './policy.ts';
import type { DefragRequest } from './request.ts';

/** A step that is about to be taken, and what it has to be judged by. */
export interface Situation {
  readonly step: DefragStep;
  readonly policy: DefragPolicy;
  readonly facts: ClusterFacts;
  readonly request: Pick<DefragRequest, 'acceptUnsafeVersion'>;
}

/** One thing that has to be right; undefined where it is. */
export type Look = (situation: Situation) => DefragRefusal | undefined;
