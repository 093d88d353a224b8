import type { GrowthRule } from "../../../packages/core/src/compaction/growth-plan.ts";
import { type Fault, type FaultRates, faults } from "../dynamodb/faults.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";

/** The stream of all clients. */
export const STREAM = "orders";

/** What one seed does: the amounts, the roles and the faults, all drawn at random. */
export type Plan = {
  readonly partitions: number;
  readonly retentionHours: number;
  /** Whether the stream is archived, and how often each request to the bucket has a fault. */
  readonly archived: boolean;
  readonly bucketFaults: number;
  readonly keys: number;
  readonly apis: number;
  readonly publishers: number;
  readonly requests: number;
  readonly keyed: number;
  /** How often another client sends other events with the key of a request that is in flight. */
  readonly impostors: number;
  readonly tombstones: number;
  /** The maximum number of events in a request. */
  readonly burst: number;
  /** How often all events of a request have one key. */
  readonly oneKey: number;
  /** The number of publishers that publish conditionally. */
  readonly conditioners: number;
  readonly followers: number;
  readonly bootstrappers: number;
  readonly browsers: number;
  readonly polls: number;
  readonly sweepers: number;
  readonly doorbell: boolean;
  readonly deletes: number;
  /** How often a phase changes the retention, and the possible new values. */
  readonly patches: number;
  /** How often a phase gives the stream another number of partitions. */
  readonly resizes: number;
  /** Whether the stream gets more partitions by itself, and when. */
  readonly growsAt: GrowthRule | undefined;
  readonly patchHours: readonly number[];
  /** How often a phase erases a key. */
  readonly erasures: number;
  readonly phases: number;
  /** Whether expired items are also deleted while clients are active. */
  readonly reaper: boolean;
  readonly store: {
    readonly latencyMs: number;
    readonly staleMs: number;
    readonly scanMs: number;
    readonly commitMs: number;
  };
  readonly writeFaults: FaultRates;
  readonly readFaults: FaultRates;
  readonly kills: number;
  readonly freezes: number;
  /** How often a phase puts an earlier copy of the table into use. */
  readonly restores: number;
  readonly skewMs: number;
  readonly monotonicStops: boolean;
  /** The possible lengths of freezes, and of the leaps between phases. */
  readonly freezesMs: readonly number[];
  readonly leapsMs: readonly number[];
  /** How long a client waits for an answer. */
  readonly patienceMs: number;
  /**
   * The possible maximum pauses of clients between two calls, and the possible sizes of their
   * requests.
   */
  readonly publishPaceMs: readonly number[];
  readonly readPaceMs: readonly number[];
  readonly pageLimits: readonly number[];
  /** How often a browsing client starts over instead of continuing. */
  readonly browseAnew: number;
  readonly crashes: number;
  /** How often a client that starts over first tries its old cursor. */
  readonly oldCursors: number;
  readonly seeks: number;
  /** The targets of a seek, for clients that do not bootstrap. */
  readonly seeksTo: readonly ("earliest" | "latest")[];
  /** How often a seek is to what has changed since the cursor of the client. */
  readonly differences: number;
  /** The number of clients that list current states, and changes since their cursor. */
  readonly listers: number;
  /** Into how many parts a list may be divided, and how often a page of it is. */
  readonly parts: readonly number[];
  readonly divides: number;
  /** The number of shared subscriptions, and of the workers of each. */
  readonly teams: number;
  readonly workers: number;
  /** How often a worker fails to process an event, and how often it leaves. */
  readonly failing: number;
  readonly leaves: number;
  readonly leaseSeconds: number;
  /** How often an operator retries, skips, or changes settings in a phase. */
  readonly operations: number;
  /** The possible values of `maxDeliveries`. 0 means none. */
  readonly maxDeliveries: readonly number[];
  /** The number of holders of bounded API keys, and how many requests each sends in a phase. */
  readonly holders: number;
  readonly asks: number;
  /** The number of pushed subscriptions, and what their endpoint does during the faults. */
  readonly pushes: number;
  readonly endpoint: EndpointFaults;
  /** For how long a pusher counts as being at work. */
  readonly awakeMs: number;
  /** The number of clients that ask for more than the quota of their tenant allows. */
  readonly meters: number;
};

/** How often an endpoint refuses, loses its answer and is slow, and how often it is away. */
export type EndpointFaults = {
  readonly refuses: number;
  /** Whether it refuses all events of one key. */
  readonly bad: boolean;
  readonly lost: number;
  readonly slow: number;
  readonly outages: number;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const FREEZES_MS = [300, 3_000, 20_000, 59_000, 61_000, 90_000, HOUR_MS];

const LEAPS_MS = [
  2 * SECOND_MS,
  50 * SECOND_MS,
  70 * SECOND_MS,
  6 * MINUTE_MS,
  11 * MINUTE_MS,
  31 * MINUTE_MS,
  2 * HOUR_MS,
  23 * HOUR_MS,
  25 * HOUR_MS,
  8 * DAY_MS,
  29 * DAY_MS,
  33 * DAY_MS,
  40 * DAY_MS,
];

/**
 * Draws a plan. Every fault and every role is left out of many seeds, so that the others do not
 * hide rare combinations. Source: A. Groce et al., "Swarm Testing", ISSTA 2012.
 */
export function drawPlan(random: SeededRandom): Plan {
  const size = random.pick([1, 1, 1, 2, 2, 4]);
  const intensity = random.pick([0, 0.03, 0.1, 0.2, 0.4]);
  const some = (probability: number, value: number) => (random.chance(probability) ? value : 0);
  return {
    partitions: random.pick([1, 1, 1, 2, 2, 3]),
    retentionHours: random.pick([1, 24, 24, 360]),
    archived: random.fork("archive").chance(0.3),
    bucketFaults: random.fork("bucket").pick([0, 0.05, 0.2, 0.5]),
    keys: random.pick([1, 2, 4, 8]),
    apis: random.between(1, 3),
    publishers: random.between(1, 2 + size),
    requests: random.between(1, 3 * size),
    keyed: random.pick([0, 0.3, 0.3, 1]),
    impostors: 0,
    tombstones: random.pick([0, 0.2, 0.5]),
    burst: random.pick([1, 1, 3, 6]),
    oneKey: 0,
    conditioners: random.fork("conditioners").pick([0, 0, 1, 2]),
    followers: random.pick([0, 1, 1, 2]),
    bootstrappers: random.pick([0, 1, 1, 2]),
    browsers: random.pick([0, 0, 1]),
    polls: random.between(2, 4 + 2 * size),
    sweepers: random.pick([0, 1, 1, 2]),
    doorbell: random.chance(0.5),
    deletes: some(0.3, random.pick([0.3, 1])),
    patches: random.fork("patches").pick([0, 0, 0, 1, 3]),
    resizes: random.fork("resizes").pick([0, 0, 0, 1, 3]),
    growsAt: undefined,
    patchHours: [1, 24, 360, 8_760],
    erasures: 0,
    phases: random.pick([1, 1, 2, 2, 3]),
    reaper: random.chance(0.3),
    store: {
      latencyMs: random.pick([2, 8, 8, 60]),
      staleMs: random.pick([0, 200, 2_000]),
      scanMs: random.pick([0, 4, 50]),
      commitMs: random.pick([0, 4, 50]),
    },
    writeFaults: drawRates(random, intensity),
    readFaults: { ...drawRates(random, intensity / 3), ...drawShortPages(random) },
    kills: some(0.3, random.between(1, 2)),
    freezes: some(0.35, random.between(1, 3)),
    restores: random.fork("restores").pick([0, 0, 0, 0, 1, 2]),
    skewMs: drawSkew(random),
    monotonicStops: random.chance(0.5),
    freezesMs: FREEZES_MS,
    leapsMs: LEAPS_MS,
    patienceMs: 12_000,
    publishPaceMs: [5, 50, 1_500],
    readPaceMs: [5, 100, 1_500],
    pageLimits: [1, 2, 5, 100],
    browseAnew: 0,
    crashes: random.pick([0, 0.1, 0.3]),
    oldCursors: random.fork("old cursors").pick([0, 0, 0.5]),
    seeks: random.pick([0, 0, 0.1]),
    seeksTo: ["earliest", "latest"],
    differences: 0,
    listers: 0,
    parts: [2, 3, 16],
    divides: 0,
    ...drawTeams(random.fork("teams")),
    ...drawHolders(random.fork("holders")),
    pushes: 0,
    endpoint: { refuses: 0, bad: false, lost: 0, slow: 0, outages: 0 },
    awakeMs: 5 * MINUTE_MS,
    meters: 0,
  };
}

/** Draws the plan of a seed with a quota. */
export function drawMeteredPlan(random: SeededRandom): Plan {
  const own = random.fork("meters");
  return {
    ...drawBriefPlan(random),
    // A process with another clock may refill a bucket at another time, and nothing more.
    skewMs: own.pick([0, 0, 2_000]),
    apis: own.between(2, 4),
    meters: own.between(1, 3),
    restores: 0,
  };
}

/**
 * Draws the plan of a seed with erasures. A restore loses erasures, and an operator repeats them,
 * so there are none.
 */
export function drawErasingPlan(random: SeededRandom): Plan {
  const plan = drawBriefPlan(random);
  const own = random.fork("erasures");
  return {
    ...plan,
    restores: 0,
    erasures: own.pick([1, 1, 2, 4]),
    archived: own.chance(0.5),
    keys: own.pick([1, 2, 2, 4]),
    sweepers: own.pick([0, 1, 1, 2]),
    browsers: own.pick([0, 1, 1]),
  };
}

/** Draws the plan of a seed whose clients catch up by what has changed since they were there. */
export function drawListingPlan(random: SeededRandom): Plan {
  const plan = drawBriefPlan(random);
  const own = random.fork("lists");
  const erasures = own.pick([0, 0, 0, 2]);
  return {
    ...plan,
    listers: own.pick([1, 1, 2]),
    divides: own.pick([0, 0.2, 0.5]),
    differences: own.pick([0, 0.5, 0.9]),
    seeks: own.pick([0.1, 0.3]),
    keys: own.pick([2, 4, 8, 20]),
    polls: own.between(3, 8),
    erasures,
    restores: erasures > 0 ? 0 : plan.restores,
  };
}

/**
 * Draws the plan of a seed whose stream gets more partitions by itself: its publishers wait for
 * each other for some minutes.
 */
export function drawGrowingPlan(random: SeededRandom): Plan {
  const plan = drawBriefPlan(random);
  const own = random.fork("growth");
  return {
    ...plan,
    growsAt: { batches: own.pick([2, 4]), minutes: own.pick([1, 1, 2]) },
    partitions: 1,
    resizes: own.pick([0, 0, 1, 2]),
    apis: 3,
    publishers: own.between(3, 4),
    requests: own.between(12, 24),
    publishPaceMs: [5, 5, 50, 20_000],
    keys: own.pick([4, 8]),
    sweepers: own.pick([1, 2]),
    polls: own.between(4, 8),
    readPaceMs: [100, 1_500, 20_000],
    deletes: own.pick([0, 0, 0.3]),
    phases: own.pick([1, 1, 2]),
  };
}

/** Draws the plan of a seed whose events are pushed to an endpoint. */
export function drawPushingPlan(random: SeededRandom): Plan {
  const plan = drawBriefPlan(random);
  const own = random.fork("pushes");
  return {
    ...plan,
    pushes: own.pick([1, 1, 2]),
    endpoint: {
      refuses: own.pick([0, 0.1, 0.3]),
      bad: own.chance(0.3),
      lost: own.pick([0, 0.1, 0.3]),
      slow: own.pick([0, 0.1, 0.4]),
      outages: own.pick([0, 0, 1, 2]),
    },
    awakeMs: own.pick([3_000, 20_000, 5 * MINUTE_MS]),
    apis: own.between(2, 3),
    keys: own.pick([2, 4, 8]),
    freezes: own.pick([0, 1, 3]),
    kills: own.pick([0, 1, 2]),
    operations: own.pick([0, 2, 5]),
    followers: 0,
    bootstrappers: 0,
    teams: 0,
    holders: 0,
  };
}

/** This has its own random source, so that the other draws stay the same. */
const drawHolders = (random: SeededRandom) => ({
  holders: random.pick([0, 0, 0, 1, 2]),
  asks: random.pick([5, 15, 30]),
});

/** This also has its own random source. */
const drawTeams = (random: SeededRandom) => ({
  teams: random.pick([0, 0, 1]),
  workers: random.pick([1, 2, 2, 3]),
  failing: random.pick([0, 0.1, 0.3]),
  leaves: random.pick([0, 0.1, 0.3]),
  leaseSeconds: random.pick([1, 3, 8]),
  operations: random.pick([2, 5, 10]),
  maxDeliveries: random.pick([[0], [2], [0, 2, 3]]),
});

/**
 * Draws the plan of a brief seed: about half as many requests and more faults, so that a night
 * plays more combinations.
 */
export function drawBriefPlan(random: SeededRandom): Plan {
  const plan = drawPlan(random);
  const intensity = random.pick([0, 0.05, 0.1, 0.2, 0.4]);
  const atMost = (count: number, max: number) => Math.min(count, max);
  return {
    ...plan,
    requests: random.between(1, 3),
    followers: atMost(plan.followers, 1),
    bootstrappers: atMost(plan.bootstrappers, 1),
    sweepers: atMost(plan.sweepers, 1),
    polls: random.between(2, 3),
    phases: random.pick([1, 1, 1, 2]),
    writeFaults: drawRates(random, intensity),
    readFaults: { ...drawRates(random, intensity / 1.5), ...drawShortPages(random) },
  };
}

/**
 * Sometimes the clocks of two processes differ by three hours. This has its own random source, so
 * that the other draws stay the same.
 */
function drawSkew(random: SeededRandom): number {
  const usual = random.pick([0, 2_000, 2_000, 2_000, 600_000]);
  return random.fork("clocks").chance(0.2) ? 1.5 * HOUR_MS : usual;
}

/** Draws some kinds of faults. Their chances add up to `intensity`. */
function drawRates(random: SeededRandom, intensity: number): FaultRates {
  if (intensity === 0) return {};
  const count = random.pick([1, 1, 2, 4, DRAWN.length]);
  const kinds: readonly Fault[] = random.shuffle(DRAWN).slice(0, count);
  return Object.fromEntries(kinds.map((kind) => [kind, intensity / kinds.length]));
}

const DRAWN = faults.filter((fault) => fault !== "short-page");

/**
 * Short pages only add requests. This has its own random source, so that earlier seeds keep their
 * plans.
 */
const drawShortPages = (random: SeededRandom): FaultRates => {
  const rate = random.fork("short pages").pick([0, 0, 0.1, 0.4]);
  return rate === 0 ? {} : { "short-page": rate };
};
