export type Ingress = "HTTP API" | "Function URL";

/** The work of a month. */
export type Scenario = {
  readonly name: string;
  readonly events: number;
  readonly streams: number;
  /** Keys that have a current state at the end. */
  readonly keys: number;
};

export const SCENARIOS: readonly Scenario[] = [
  { name: "Startup", events: 3_000_000, streams: 1, keys: 100_000 },
  { name: "Growth", events: 30_000_000, streams: 1, keys: 1_000_000 },
  { name: "Scale", events: 300_000_000, streams: 4, keys: 10_000_000 },
];

export const BATCHES = [1, 10] as const;

/**
 * The assumptions: what cannot be measured without AWS, and what users decide. Each of them changes
 * the result.
 */
export const ASSUMED = {
  hoursPerMonth: 730,
  subscribersPerStream: 2,
  /** A subscriber asks once a second, day and night, and commits what it got when it asks again. */
  pollEverySeconds: 1,
  /** The duration of the router, cold starts included, at 1 GB. */
  publishMs: 15,
  idlePollMs: 8,
  busyPollMs: 15,
  commitMs: 7,
  compactorMs: 50,
  compactorMsPerEvent: 1,
  sweeperMs: 1_000,
  /** The window of the event source: one run of the compactor per window with events in it. */
  compactorWindowSeconds: 10,
  routerGb: 1,
  sweeperGb: 0.5,
  /** The default retention and the 30 days that a batch stays stored beyond it. */
  keptDays: 45,
  /** The 48 hours of an Idempotency-Key, and a day until DynamoDB has removed it. */
  receiptDays: 3,
  /** Processes of the router that write metrics at any time. */
  processes: 2,
  accessLogBytes: 450,
  /**
   * The bytes that CloudWatch adds to a line when it bills it, and the compression ratio of stored
   * logs.
   */
  logLineOverheadBytes: 26,
  logsKeptShare: 0.15,
  /** HTTP headers of an answer. */
  headersBytes: 500,
  /** A process finds that another one was faster about twice as often as two overlap. */
  conflictsPerOverlap: 2,
} as const;
