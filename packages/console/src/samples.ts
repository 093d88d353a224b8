/** The maximum number of readings of a value. One is kept every few seconds at most. */
const READINGS_MAX = 120;
const APART_MS = 1_500;

export type Reading = { readonly at: number; readonly value: number };

/** Keeps the readings of values since the page was opened, by name. They outlive the views. */
export function createSamples() {
  const series = new Map<string, Reading[]>();
  return {
    add(name: string, value: number, at: number): void {
      const readings = series.get(name) ?? [];
      const last = readings.at(-1);
      if (last !== undefined && at - last.at < APART_MS) return;
      series.set(name, [...readings, { at, value }].slice(-READINGS_MAX));
    },
    of: (name: string): readonly Reading[] => series.get(name) ?? [],
  };
}

/** Returns the rates per second between neighbouring readings of a value that only grows. */
export function ratesOf(readings: readonly Reading[]): number[] {
  return readings.slice(1).map((reading, index) => {
    const before = readings[index] ?? reading;
    const seconds = (reading.at - before.at) / 1_000;
    return seconds <= 0 ? 0 : Math.max(0, reading.value - before.value) / seconds;
  });
}

/** Returns a line through values, from left to right in a box of the given size. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return `M0 ${height} H${width}`;
  const most = Math.max(...values, Number.MIN_VALUE);
  const step = width / (values.length - 1);
  return values
    .map((value, n) => {
      const y = height - (value / most) * (height - 2);
      return `${n === 0 ? "M" : "L"}${(n * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join(" ");
}

export const eventCounts = createSamples();
export const lags = createSamples();
