type Metric = {
  readonly kind: "count" | "gauge";
  /** The unit, by its name in CloudWatch. */
  readonly unit: "Count" | "Bytes" | "Seconds";
  readonly help: string;
  /** Label name, if any. Must be low-cardinality. */
  readonly label?: "code" | "operation";
  /** CloudWatch already has the sum from DynamoDB, free of charge. Only its parts are written. */
  readonly known?: true;
};

/**
 * Everything that is measured: counts of what happened, and gauges of the present state. No metric
 * has a stream as a label: there may be any number of streams, and CloudWatch bills each
 * combination.
 */
export const METRICS = {
  EventsPublished: { kind: "count", unit: "Count", help: "Events made durable." },
  BytesPublished: { kind: "count", unit: "Bytes", help: "Their data as it was sent, in bytes." },
  Appends: {
    kind: "count",
    unit: "Count",
    help: "Appends that made the events of one or more publishes durable.",
  },
  AppendPuts: {
    kind: "count",
    unit: "Count",
    help: "Writes sent for them; one per append when nothing is in the way.",
  },
  AppendConflicts: {
    kind: "count",
    unit: "Count",
    help: "Appends that had to be planned again because another process wrote first.",
  },
  Polls: { kind: "count", unit: "Count", help: "Polls answered." },
  EventsDelivered: { kind: "count", unit: "Count", help: "Events in their answers." },
  SubscriptionLagSeconds: {
    kind: "gauge",
    unit: "Seconds",
    help: "How long the next event had been waiting when a subscription was polled.",
  },
  KeysParked: { kind: "count", unit: "Count", help: "Keys set aside because an event failed." },
  Bootstraps: { kind: "count", unit: "Count", help: "Subscriptions set to `bootstrap`." },
  CompactionLagSeconds: {
    kind: "gauge",
    unit: "Seconds",
    help: "The lag of compaction in the partition where it is largest.",
  },
  Problems: { kind: "count", unit: "Count", help: "Answers that were problems.", label: "code" },
  StoreThrottles: {
    kind: "count",
    unit: "Count",
    help: "Operations that the table refused because there were too many.",
    label: "operation",
    known: true,
  },
  ReadUnits: {
    kind: "count",
    unit: "Count",
    help: "Read units the table reported.",
    label: "operation",
    known: true,
  },
  WriteUnits: {
    kind: "count",
    unit: "Count",
    help: "Write units the table reported; it reports none for a write that its condition refused.",
    label: "operation",
    known: true,
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

type NamesOf<Kind> = {
  [Name in MetricName]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];

export type CountName = NamesOf<"count">;
export type GaugeName = NamesOf<"gauge">;

/** One entry of the table, with its common type. */
export const metricOf = (name: MetricName): Metric => METRICS[name];
