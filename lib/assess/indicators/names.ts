// The indicators of brittleness: their names, their labels, and whether more of one is worse.

/** Every indicator, and whether more of it is worse. `classical` ones are there to be compared with. */
export const INDICATORS = {
  pseudoNoiseFlips: { label: 'pseudo-noise flips', worse: 'more', classical: false, share: true },
  noiseOverMargin: { label: 'first-order noise / margin', worse: 'more', classical: false, share: false },
  predictedFlips: { label: 'flips from first order', worse: 'more', classical: false, share: true },
  gradientNorm: { label: 'gradient norm of margin', worse: 'more', classical: false, share: false },
  weightNoiseFlips: { label: '10 % weight noise flips', worse: 'more', classical: false, share: true },
  inputNoiseFlips: { label: '10 % input noise flips', worse: 'more', classical: false, share: true },
  margin: { label: 'median margin / deviation', worse: 'less', classical: false, share: false },
  hessianTrace: { label: 'Hessian trace', worse: 'more', classical: true, share: false },
  kurtosis: { label: 'weight kurtosis', worse: 'more', classical: true, share: false },
  activationPeak: { label: 'activation peak / rms', worse: 'more', classical: true, share: false },
  rangeSpread: { label: 'activation range spread', worse: 'more', classical: true, share: false },
  channelDisparity: { label: 'channel disparity', worse: 'more', classical: true, share: false },
  weightSqnrDb: { label: 'weight SQNR, dB', worse: 'less', classical: true, share: false },
} as const;

/** An indicator of brittleness, computed in full precision. */
export type IndicatorName = keyof typeof INDICATORS;

/** An indicator as a report shows it: shares of samples in percent. */
export function shownIndicator(name: IndicatorName, value: number): { readonly label: string; readonly value: number } {
  const { label, share } = INDICATORS[name];
  return share ? { label: `${label}, %`, value: 100 * value } : { label, value };
}
