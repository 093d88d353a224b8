/** How many readings of a number are kept, and no more than one each few seconds. */
const READINGS_MAX = 120;
const APART_MS = 1_500;

export type Reading = { readonly at: number; readonly value: number };

/** The readings of numbers since the page was opened, by name. Views come and go; these stay. */
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

/** The rates between neighbouring readings of a number that only grows, per second. */
export function ratesOf(readings: readonly Reading[]): number[] {
  return readings.slice(1).map((reading, index) => {
    const before = readings[index] ?? reading;
    const seconds = (reading.at - before.at) / 1_000;
    return seconds <= 0 ? 0 : Math.max(0, reading.value - before.value) / seconds;
  });
}

/** The line through values, in a box of the given size, from left to right. */
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
