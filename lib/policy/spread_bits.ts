// Bits by sample, where ranges are by row.

/** Bits of samples as bits of their rows: a sample's tokens are neighbours. */
export function spreadBits(bits: number | Uint8Array, rows: number): number | Uint8Array {
  if (typeof bits === 'number' || bits.length === rows) return bits;
  const perSample = rows / bits.length;
  return Number.isInteger(perSample)
    ? Uint8Array.from({ length: rows }, (_, row) => bits[Math.floor(row / perSample)] as number)
    : bits;
}
