export type Ingress = "HTTP API" | "Function URL";

/** The amount of work in a month. */
export type Scenario = {
  readonly name: string;
  readonly events: number;
  readonly streams: number;
  /** The number of keys with a current state at the end. */
  readonly keys: number;
};

export const SCENARIOS: readonly Scenario[] = [
  { name: "Startup", events: 3_000_000, streams: 1, keys: 100_000 },
  { name: "Growth", events: 30_000_000, streams: 1, keys: 1_000_000 },
  { name: "Scale", events: 300_000_000, streams: 4, keys: 10_000_000 },
];

export const BATCHES = [1, 10] as const;

/**
 * The assumptions: values that cannot be measured without AWS, and decisions of users. Each of them
 * changes the result.
 */
export const ASSUMED = {
  hoursPerMonth: 730,
  subscribersPerStream: 2,
  /** A subscriber polls once a second, day and night. Each poll commits the previous page. */
  pollEverySeconds: 1,
  /** The duration of a call of the router at 1 GB, including cold starts. */
  publishMs: 15,
  idlePollMs: 8,
  busyPollMs: 15,
  commitMs: 7,
  compactorMs: 50,
  compactorMsPerEvent: 1,
  sweeperMs: 1_000,
  /** The window of the event source. The compactor runs once for each window with events. */
  compactorWindowSeconds: 10,
  /** A delivery, with `pushAtOnce` keys at the same time, and what a run takes besides. */
  pushMs: 100,
  pushAtOnce: 8,
  pushRunMs: 100,
  dispatchMs: 10,
  pusherGb: 0.5,
  routerGb: 1,
  sweeperGb: 0.5,
  /** The default retention and the 30 days that a batch stays stored beyond it. */
  keptDays: 45,
  /** An Idempotency-Key is kept for 48 hours, and DynamoDB removes it within another day. */
  receiptDays: 3,
  /** The number of router processes that write metrics at any time. */
  processes: 2,
  accessLogBytes: 450,
  /**
   * The bytes that CloudWatch adds to each line when it bills it, and the compression ratio of
   * stored logs.
   */
  logLineOverheadBytes: 26,
  logsKeptShare: 0.15,
  /** The size of the HTTP headers of an answer. */
  headersBytes: 500,
  /** When two processes overlap, one finds about twice that the other was faster. */
  conflictsPerOverlap: 2,
} as const;
