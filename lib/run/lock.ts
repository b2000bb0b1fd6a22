// One writer to a folder: a file that names the process, outlived by no process that was killed.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where /proc/PID/stat, after the command's name in parentheses, tells when the process started. */
const START_FIELD = 19;

/** A process as no later one with the same number: its number and when it started, in clock ticks since the boot. */
function identity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD]}`;
  } catch {
    return undefined;
  }
}

/** Locks a folder; the function returned unlocks it. Throws an Error naming the process that holds it. */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const own = identity(process.pid) ?? String(process.pid);
  const [path, candidate] = [join(folder, 'lock'), join(folder, `lock-${process.pid}`)];
  writeFileSync(candidate, own);
  try {
    for (;;) {
      try {
        linkSync(candidate, path); // fails when there is a lock; a lock is never seen half written
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readLock(path);
      if (holder === undefined) continue;
      const pid = Number(holder.split(' ')[0]);
      if (identity(pid) === holder) {
        throw new Error(`${folder}: process ${pid} is writing there; expected a folder that nobody writes to`);
      }
      takeAway(path, holder, candidate);
    }
  } finally {
    rmSync(candidate, { force: true });
  }
}

/** Removes the lock of a process that is gone, unless another process has replaced it in the meantime. */
function takeAway(path: string, stale: string, candidate: string): void {
  const aside = `${candidate}-stale`;
  try {
    renameSync(path, aside);
    if (readLock(aside) !== stale) linkSync(aside, path);
  } catch {
    // Another process was quicker: look again.
  } finally {
    rmSync(aside, { force: true });
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
