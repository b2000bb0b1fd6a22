// One unit of work of an assessment: from the store, or computed; where time runs out, that is a value.
import type { MeasureOptions } from '../measure/measurer.js';

/** Keeps what stages found: a RunDirectory does. */
export interface AssessStore {
  /** The result of a stage: computed now, or as it was kept. */
  stage<Result>(name: string, compute: () => Promise<Result>): Promise<Result>;
}

/** How far one stage is. */
export interface AssessProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** On what terms work is done. */
export interface Terms {
  readonly store?: AssessStore | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Aborted when time is up. */
  readonly deadline?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AssessProgress) => void) | undefined;
}

/** The result of timed work: the value is missing, or the best so far, where time was up. */
export interface Timed<Result> {
  readonly value: Result | undefined;
  readonly timeUp: boolean;
  readonly seconds: number;
}

/** Signal and progress of a stage: either end of it, called off or out of time, aborts. */
export function measuring({ signal, deadline, onProgress }: Terms, stage: string): MeasureOptions {
  const either = [signal, deadline].filter((one) => one !== undefined);
  return {
    signal: either.length > 0 ? AbortSignal.any(either) : undefined,
    onProgress: (done, total) => onProgress?.({ stage, done, total }),
  };
}

/** `whole`: whether a result is all there is to find; the store keeps no other. Throws the signal's reason. */
export async function timed<Result>(
  { store, signal, deadline }: Terms,
  name: string,
  compute: () => Promise<Result>,
  whole: (result: Result) => boolean = () => true,
): Promise<Timed<Result>> {
  signal?.throwIfAborted();
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1e3;
  let partial: Result | undefined;
  const guarded = async () => {
    deadline?.throwIfAborted();
    const result = await compute();
    if (whole(result)) return result;
    partial = result;
    throw deadline?.reason; // the store keeps what is returned
  };
  try {
    const value = await (store ? store.stage(name, guarded) : guarded());
    return { value, timeUp: false, seconds: seconds() };
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline?.aborted) throw error;
    return { value: partial, timeUp: true, seconds: seconds() };
  }
}
