// The number of threads of the native operations.
import { addon } from './addon.js';

/** Threads in use: `OMP_NUM_THREADS`, else the CPUs this process may use (affinity mask and cgroup quota). */
export function threads(): number {
  return addon.threads();
}

/**
 * Sets the number of threads for every later operation of the process; 0 restores the default. Throws
 * InvalidArgumentError above twice the processors, or 64 where that is more.
 */
export function setThreads(count: number): void {
  addon.setThreads(count);
}

/**
 * Computes in one thread: with a few thousand weights, threads would only wait for each other.
 */
export function onOneThread<Result>(compute: () => Result): Result {
  const before = threads();
  setThreads(1);
  try {
    return compute();
  } finally {
    setThreads(before);
  }
}
