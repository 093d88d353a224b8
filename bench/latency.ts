/** Percentiles of a sample, in the unit of the sample. */
export type Latency = { readonly p50: number; readonly p99: number; readonly max: number };

/** Returns the percentiles of a sample. Throws a RangeError for an empty sample. */
export function latencyOf(sample: readonly number[]): Latency {
  const sorted = sample.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    if (value === undefined) throw new RangeError("The sample is empty");
    return Math.round(value * 100) / 100;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
