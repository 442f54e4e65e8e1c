import { homedir } from 'node:os';

/**
 * The SDK looks for its own files below the home folder, and fails where there is none: an arbitrary user of a container
 * has no entry in /etc/passwd, and not everything that starts one sets HOME.
 */
export function provideHomeFolder(): void {
  try {
    homedir();
  } catch {
    process.env['HOME'] = '/nonexistent';
  }
}
