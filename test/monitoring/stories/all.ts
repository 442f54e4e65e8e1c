import { agentStories } from './agents.ts';
import { backupStories } from './backups.ts';
import { cronJobStories } from './cron-jobs.ts';
import { jobStories } from './jobs.ts';
import { memberStories } from './members.ts';
import { repositoryStories } from './repositories.ts';
import { silenceStories } from './silence.ts';

export const stories = [
  ...silenceStories,
  ...backupStories,
  ...repositoryStories,
  ...jobStories,
  ...cronJobStories,
  ...agentStories,
  ...memberStories,
];
