// One writer to a folder: a lock file that the kernel locks for as long as its process lives (flock).
//
// A name in the file would not do: a process number means another process in another container, and one that was killed
// leaves it behind. The kernel knows who is alive, in every PID namespace that has the folder, and forgets a lock with
// its process. What the file says is for people.
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { addon } from '../native/addon.js';
import { makeFolder, RunError } from './files.js';

/** A folder's only writer. */
export interface FolderLock {
  /** Whether the folder is still the one that was locked. */
  held(): boolean;
  release(): void;
}

const EXPECTED = 'a lock file that can be written';
/** Neither a link is followed nor a FIFO waited for. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const HOLDER = /^process \d{1,10} on [\w.-]{1,64}$/;
/** Each time another process removed the file between the opening and the locking. */
const ATTEMPTS = 1000;

function kindOf(stats: BigIntStats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isDirectory() ? 'a folder' : 'a device';
}

function openLock(path: string): number {
  let file: number;
  try {
    file = openSync(path, FLAGS, 0o666);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR' || code === 'ELOOP') {
      throw new RunError(path, `expected ${EXPECTED}, received a ${code === 'ELOOP' ? 'link' : 'folder'}: remove it`);
    }
    throw RunError.of(path, EXPECTED, error);
  }
  const kind = kindOf(fstatSync(file, { bigint: true }));
  if (kind === undefined) return file;
  closeSync(file);
  throw new RunError(path, `expected ${EXPECTED}, received ${kind}: remove it`);
}

/** Whether the path still has this file: a lock on a removed one keeps nobody out. */
function isAt(file: number, path: string): boolean {
  const there = statSync(path, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(file, { bigint: true });
  return there?.ino === opened.ino && there.dev === opened.dev;
}

function tryLock(folder: string, path: string, file: number): boolean {
  let locked: boolean;
  try {
    locked = addon.lockFile(file);
  } catch (error) {
    throw new RunError(path, `expected a file system with locks (flock), received ${(error as Error).message}`);
  }
  if (!locked) {
    const said = readFileSync(file, 'latin1').trim();
    const holder = HOLDER.test(said) ? said : 'another process';
    throw new RunError(folder, `expected a folder without another writer, received one that ${holder} is writing to`);
  }
  return isAt(file, path);
}

/** Locks a folder, which is made where there is none. Throws RunError; it names the process that holds the lock. */
export function lockFolder(folder: string): FolderLock {
  try {
    makeFolder(folder);
  } catch (error) {
    throw RunError.of(folder, 'a folder that can be made', error);
  }
  const path = join(folder, 'lock');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const file = openLock(path);
    try {
      if (tryLock(folder, path, file)) {
        ftruncateSync(file);
        writeSync(file, `process ${process.pid} on ${hostname()}\n`, 0);
        return lockOn(path, file);
      }
    } catch (error) {
      closeSync(file);
      throw RunError.of(path, EXPECTED, error);
    }
    closeSync(file);
  }
  throw new RunError(path, `expected ${EXPECTED}, received one that others keep removing`);
}

function lockOn(path: string, file: number): FolderLock {
  let open = true;
  const held = () => open && isAt(file, path);
  return {
    held,
    release() {
      if (held()) rmSync(path, { force: true });
      if (open) closeSync(file);
      open = false;
    },
  };
}
