// One writer to a folder: a lock file that names the process; the lock of a killed process is ignored.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where /proc/PID/stat, after the command's name in parentheses, has the time the process started. */
const START_FIELD = 19;

/** Distinguishes a process from later ones with its number: the number and the start, in clock ticks since boot. */
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
  const self = identity(process.pid) ?? String(process.pid);
  const [path, candidate] = [join(folder, 'lock'), join(folder, `lock-${process.pid}`)];
  writeFileSync(candidate, self);
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
        throw new Error(
          `${folder}: expected a folder without another writer, received one that process ${pid} is writing to`,
        );
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
