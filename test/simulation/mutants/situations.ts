import { DAY_MS, HOUR_MS, type Plan } from "../world/plan.ts";

const DAYS = [33 * DAY_MS, 40 * DAY_MS];

/** A plan with many writes, most of whose answers are lost. */
export const LOST_ANSWERS: Partial<Plan> = {
  publishers: 4,
  requests: 8,
  keyed: 0,
  kills: 0,
  freezes: 0,
  patienceMs: 60_000,
  writeFaults: { "error-after": 0.25, "reset-after": 0.15, throttle: 0.2 },
};

/**
 * A plan in which every request has a key and is sent until it succeeds, through processes that
 * fail and contend.
 */
export const CLAIMS: Partial<Plan> = {
  apis: 3,
  publishers: 5,
  requests: 10,
  keyed: 1,
  partitions: 1,
  burst: 2,
  phases: 1,
  deletes: 0,
  followers: 0,
  bootstrappers: 0,
  sweepers: 0,
  patienceMs: 900,
  writeFaults: { "timeout-late": 0.1, "error-after": 0.15, "error-before": 0.15 },
};

/** A plan in which many events expire between two phases of writing. */
export const EXPIRY: Partial<Plan> = {
  retentionHours: 1,
  phases: 3,
  leapsMs: DAYS,
  deletes: 0,
  publishers: 3,
  requests: 5,
  keyed: 0,
  skewMs: 0,
  kills: 0,
};

/**
 * A plan in which the clocks of sweepers and publishers differ by up to three hours, and less is
 * kept.
 */
export const WRONG_CLOCKS: Partial<Plan> = {
  retentionHours: 1,
  skewMs: 1.5 * HOUR_MS,
  monotonicStops: true,
  apis: 3,
  phases: 3,
  leapsMs: [10 * 60_000, 20 * 60_000],
  sweepers: 2,
  publishers: 3,
  requests: 4,
  deletes: 0,
  freezes: 0,
  kills: 0,
  followers: 2,
  bootstrappers: 0,
  browsers: 1,
};

/** A plan in which a stream is deleted and created again while publishers and readers continue. */
export const DELETIONS: Partial<Plan> = {
  deletes: 1,
  phases: 3,
  apis: 3,
  publishers: 4,
  requests: 8,
  followers: 2,
  polls: 10,
  kills: 0,
  freezes: 0,
};

/** A plan in which keys are deleted and published again during compactions and bootstraps. */
export const COMPACTION: Partial<Plan> = {
  sweepers: 2,
  doorbell: true,
  bootstrappers: 2,
  keys: 4,
  tombstones: 0.5,
  deletes: 0,
  apis: 3,
  publishers: 3,
  requests: 8,
  polls: 12,
  partitions: 1,
};

/**
 * A plan without conditional publishes, restores and changes of the retention, which have mutants
 * of their own.
 */
export const PLAIN: Partial<Plan> = { conditioners: 0, restores: 0, patches: 0, oldCursors: 0 };

/** A plan in which the stream gets other partitions again and again. */
export const GROWTH: Partial<Plan> = {
  resizes: 4,
  restores: 0,
  deletes: 0,
  apis: 3,
  publishers: 4,
  requests: 8,
  keys: 4,
  followers: 2,
  bootstrappers: 2,
  polls: 12,
};

/** A plan with a quota, and with compactors that meet and are killed. */
export const METERS: Partial<Plan> = {
  ...COMPACTION,
  meters: 3,
  restores: 0,
  skewMs: 0,
  kills: 2,
  phases: 2,
  leapsMs: [2_000, 7_200_000],
};

/** A plan in which keys are erased again and again. */
export const ERASURES: Partial<Plan> = {
  erasures: 4,
  resizes: 0,
  restores: 0,
  deletes: 0,
  tombstones: 0.2,
  keys: 3,
  apis: 3,
  publishers: 3,
  requests: 6,
  sweepers: 1,
  browsers: 1,
  polls: 8,
};

/** A plan in which copies of the table come into use while the stream gets other partitions. */
export const RESTORED_GROWTH: Partial<Plan> = {
  ...GROWTH,
  restores: 2,
  browsers: 2,
  followers: 3,
  patches: 0,
  conditioners: 0,
  kills: 0,
  freezes: 0,
  phases: 1,
  publishPaceMs: [50, 1_500],
  readPaceMs: [50, 1_500],
};

/** A plan in which clients list all keys, in parts too, and what has changed since their cursor. */
export const LISTS: Partial<Plan> = {
  ...COMPACTION,
  ...PLAIN,
  listers: 3,
  divides: 0.3,
  differences: 0.7,
  seeks: 0.3,
  followers: 2,
  keys: 6,
  crashes: 0.1,
  pageLimits: [1, 2, 5],
};

/** A plan in which a stream gets more partitions by itself, or a number of them. */
export const GROWING: Partial<Plan> = {
  ...GROWTH,
  growsAt: { batches: 1, minutes: 1 },
  skewMs: 0,
  partitions: 1,
  requests: 20,
  store: { latencyMs: 60, staleMs: 0, scanMs: 0, commitMs: 0 },
  publishPaceMs: [5, 5, 5, 20_000],
  readPaceMs: [100, 1_500, 20_000],
  sweepers: 2,
  phases: 1,
};

/** A plan with pushed subscriptions, whose pushers are killed and paused. */
export const PUSHES: Partial<Plan> = {
  ...PLAIN,
  pushes: 2,
  endpoint: { refuses: 0.2, bad: false, lost: 0.1, slow: 0.2, outages: 0 },
  awakeMs: 3_000,
  leaseSeconds: 1,
  apis: 3,
  keys: 3,
  publishers: 3,
  requests: 6,
  freezes: 4,
  freezesMs: [3_000, 8_000],
  kills: 1,
  deletes: 0,
  followers: 0,
  bootstrappers: 0,
  operations: 0,
  polls: 6,
  phases: 1,
};
