import type { CountName, GaugeName, MetricName } from "./catalog.ts";

/** One number: of a metric, or of one label of it. */
export type Reading = {
  readonly name: MetricName;
  readonly label: string | undefined;
  readonly value: number;
};

/** The measurements of this process. Nothing is sent. A writer reads them. */
export type Metrics = {
  count(name: CountName, by?: number, label?: string): void;
  gauge(name: GaugeName, value: number): void;
  /** Counts since the process began, and the latest value of each gauge. */
  readings(): Reading[];
  /** The measurements since the last call: counts, and the highest value of each gauge. */
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
