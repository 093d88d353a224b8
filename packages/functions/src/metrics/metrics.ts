import type { CountName, GaugeName, MetricName } from "./catalog.ts";

/** The value of a metric, or of one label of it. */
export type Reading = {
  readonly name: MetricName;
  readonly label: string | undefined;
  readonly value: number;
};

/** The measurements of this process. A writer reads them and sends them. */
export type Metrics = {
  count(name: CountName, by?: number, label?: string): void;
  gauge(name: GaugeName, value: number): void;
  /** Returns the counts since the process started and the latest value of each gauge. */
  readings(): Reading[];
  /** Returns the counts since the last call and the highest value of each gauge since then. */
  drain(): Reading[];
};

export function createMetrics(): Metrics {
  const totals = new Map<string, Reading>();
  let recent = new Map<string, Reading>();

  return {
    count(name, by = 1, label = undefined) {
      if (by === 0) return;
      for (const readings of [totals, recent]) {
        const key = `${name} ${label}`;
        readings.set(key, { name, label, value: (readings.get(key)?.value ?? 0) + by });
      }
    },

    gauge(name, value) {
      const highest = Math.max(value, recent.get(name)?.value ?? value);
      totals.set(name, { name, label: undefined, value });
      recent.set(name, { name, label: undefined, value: highest });
    },

    readings: () => [...totals.values()],

    drain() {
      const drained = [...recent.values()];
      recent = new Map();
      return drained;
    },
  };
}
