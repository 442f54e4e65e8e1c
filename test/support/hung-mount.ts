import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Puts a file system over `path` that answers nothing, as an NFS mount does whose server has gone: FUSE without a process
 * behind it. Every call into it waits until it is disposed, and fails then. Handles that were opened before still work.
 */
export function hangMount(path: string): Disposable {
  const fuse = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  try {
    execFileSync('mount', ['-i', '-t', 'fuse', '-o', options, 'hung', path], {
      stdio: ['ignore', 'ignore', 'ignore', fuse],
    });
  } catch (error) {
    closeSync(fuse);
    throw error;
  }
  return {
    [Symbol.dispose]() {
      closeSync(fuse);
      execFileSync('umount', ['--lazy', path]);
    },
  };
}

/** Only root may mount, and not in every container. */
export function canHangMounts(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'warden-hung-'));
  try {
    hangMount(path)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}
