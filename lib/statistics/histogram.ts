// A histogram: how many values lie where.

/** `bins` of equal width over `range`; values beyond its ends count in the outermost ones. */
export function histogram(
  values: readonly number[],
  bins: number,
  [low, high]: readonly [number, number],
): { from: number; to: number; count: number }[] {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts.map((count, i) => ({ from: low + i * width, to: low + (i + 1) * width, count }));
}
