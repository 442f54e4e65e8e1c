import type { Metrics } from '../ports/metrics.ts';

const nothing = (): void => undefined;

/** For runs whose metrics nobody asks for. */
export const unmeasured: Metrics = {
  jobScheduled: nothing,
  jobStarted: nothing,
  jobEnded: nothing,
  jobSkipped: nothing,
  backupCommitted: nothing,
  memberDefragmented: nothing,
  backupsRemoved: nothing,
  repositoriesConfigured: nothing,
  repositoryListed: nothing,
  membersSeen: nothing,
  certificatesRead: nothing,
  clockJumped: nothing,
  configReloaded: nothing,
};
