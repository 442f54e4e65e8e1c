import type { Registry } from 'prom-client';
import type { Metrics } from '../../ports/metrics.ts';
import { fact, spread } from './instruments.ts';
import { catalogue } from './metric-catalogue.ts';

export function createBackupMetrics(registry: Registry): Pick<Metrics, 'backupCommitted'> {
  const stages = spread(registry, catalogue.backupStageDuration);
  const size = fact(registry, catalogue.snapshotSize);
  const held = spread(registry, catalogue.snapshotStreamHeld);
  return {
    backupCommitted: ({ snapshotBytes, storedBytes, streamHeldSeconds, stageSeconds }) => {
      size.set({ stage: 'snapshot' }, snapshotBytes);
      size.set({ stage: 'stored' }, storedBytes);
      held.observe({}, streamHeldSeconds);
      for (const [stage, seconds] of stageSeconds) stages.observe({ stage }, seconds);
    },
  };
}
