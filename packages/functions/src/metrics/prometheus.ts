import { METRICS, type MetricName, metricOf } from "./catalog.ts";
import type { Reading } from "./metrics.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Prints all metrics in Prometheus' text format: `EventsPublished` becomes
 * `eventledger_events_published_total`. A metric without labels that has no value yet is 0.
 */
export function printPrometheus(readings: readonly Reading[]): string {
  const names = Object.keys(METRICS) as MetricName[];
  return names.map((name) => printMetric(name, readings)).join("");
}

function printMetric(name: MetricName, all: readonly Reading[]): string {
  const { kind, help, label } = metricOf(name);
  const readings = all.filter((reading) => reading.name === name);
  if (readings.length === 0 && label === undefined) {
    readings.push({ name, label: undefined, value: 0 });
  }
  const shown = toSnakeCase(name) + (kind === "count" ? "_total" : "");
  const lines = [
    `# HELP ${shown} ${help}`,
    `# TYPE ${shown} ${kind === "count" ? "counter" : "gauge"}`,
    ...readings.map(({ label: of, value }) => `${shown}${printLabel(label, of)} ${value}`),
  ];
  return `${lines.join("\n")}\n`;
}

const printLabel = (label: string | undefined, value: string | undefined): string =>
  label === undefined || value === undefined ? "" : `{${label}="${value}"}`;

const toSnakeCase = (name: string): string =>
  `eventledger${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
