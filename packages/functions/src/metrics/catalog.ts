type Metric = {
  readonly kind: "count" | "gauge";
  /** The unit, by its name in CloudWatch. */
  readonly unit: "Count" | "Bytes" | "Seconds";
  readonly help: string;
  /** The name of the label, if there is one. Its values must be few. */
  readonly label?: "code" | "operation";
  /**
   * CloudWatch already has the sum from DynamoDB, free of charge. Only the values by label are
   * written.
   */
  readonly known?: true;
  /**
   * The value is in the log line, where queries find it, but is no metric of CloudWatch, which
   * bills each metric.
   */
  readonly logged?: true;
  /** Only a stage with an archive writes it. */
  readonly ofArchive?: true;
};

/**
 * Everything that is measured: counters of what happened and gauges of the current state. No metric
 * has the stream as a label, because the number of streams is unlimited and CloudWatch bills each
 * combination.
 */
export const METRICS = {
  EventsPublished: { kind: "count", unit: "Count", help: "Events made durable." },
  BytesPublished: {
    kind: "count",
    unit: "Bytes",
    help: "The data of published events as it was sent, in bytes.",
  },
  Appends: {
    kind: "count",
    unit: "Count",
    help: "Appends that made the events of one or more publishes durable.",
  },
  AppendPuts: {
    kind: "count",
    unit: "Count",
    help: "Writes sent for appends; one per append when there is no contention.",
  },
  AppendConflicts: {
    kind: "count",
    unit: "Count",
    help: "Appends that had to be planned again because another process wrote first.",
  },
  Polls: { kind: "count", unit: "Count", help: "Polls answered." },
  EventsDelivered: { kind: "count", unit: "Count", help: "Events in the answers to polls." },
  SubscriptionLagSeconds: {
    kind: "gauge",
    unit: "Seconds",
    help: "How long the next event had been waiting when a subscription was polled.",
  },
  KeysParked: { kind: "count", unit: "Count", help: "Keys parked because an event failed." },
  Bootstraps: { kind: "count", unit: "Count", help: "Subscriptions set to `bootstrap`." },
  CompactedRows: {
    kind: "count",
    unit: "Count",
    help: "Compacted rows put: one per key that changed, for each run.",
    logged: true,
  },
  StreamsGrown: {
    kind: "count",
    unit: "Count",
    help: "Times that a stream began to get more partitions by itself.",
    logged: true,
  },
  CompactionLagEvents: {
    kind: "gauge",
    unit: "Count",
    help: "The events after the compaction watermark, in the partition that has most of them.",
    logged: true,
  },
  CompactionLagSeconds: {
    kind: "gauge",
    unit: "Seconds",
    help: "The lag of compaction in the partition where it is largest.",
  },
  ArchivedSegments: {
    kind: "count",
    unit: "Count",
    help: "Segments written to the archive.",
    logged: true,
    ofArchive: true,
  },
  ArchivedBytes: {
    kind: "count",
    unit: "Bytes",
    help: "The size of these segments in the bucket.",
    logged: true,
    ofArchive: true,
  },
  ArchiveLagEvents: {
    kind: "gauge",
    unit: "Count",
    help: "The compacted events that are not archived, in the partition that has most of them.",
    logged: true,
    ofArchive: true,
  },
  ArchiveLagSeconds: {
    kind: "gauge",
    unit: "Seconds",
    help: "The age of the oldest compacted event that is not archived, over all partitions.",
    ofArchive: true,
  },
  ColdReads: {
    kind: "count",
    unit: "Count",
    help: "Reads of objects of the archive, for pages.",
    logged: true,
    ofArchive: true,
  },
  Problems: {
    kind: "count",
    unit: "Count",
    help: "Answers that reported a problem.",
    label: "code",
  },
  StoreThrottles: {
    kind: "count",
    unit: "Count",
    help: "Operations that the table throttled.",
    label: "operation",
    known: true,
  },
  ReadUnits: {
    kind: "count",
    unit: "Count",
    help: "Read units that the table reported.",
    label: "operation",
    known: true,
  },
  WriteUnits: {
    kind: "count",
    unit: "Count",
    help: "Write units that the table reported. It reports none for a write whose condition failed.",
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

/** Returns one entry of the table with its common type. */
export const metricOf = (name: MetricName): Metric => METRICS[name];
