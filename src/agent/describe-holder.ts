import { hostname } from 'node:os';

/** For whoever finds the lock taken: `defrag on node-1, process 4711`. */
export function describeHolder(command: string): string {
  return `${command} on ${hostname()}, process ${process.pid}`;
}
