import { createCursors } from "../../../packages/core/src/cursor/cursor.ts";
import { type SeededRandom, seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { drawPlan, type Plan } from "../../simulation/world/plan.ts";
import type { Recorder } from "../../simulation/world/recorder.ts";
import type { Api, ClientWorld } from "../../simulation/world/world.ts";
import { createHttpLedger } from "./http-ledger.ts";

/** The admin key of the servers, and the secret that signs their cursors. */
export const BOX_KEY = "a-key-for-the-black-box-only";

/**
 * Returns milliseconds on a clock that all processes of this machine share and that never goes
 * back.
 */
export const sharedMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The subscription that the workers share, and the length of their leases. */
export const TEAM = "team";
export const LEASE_SECONDS = 2;

/** Each life of a process numbers its calls and events in its own range of this size. */
export const NUMBERS_EACH = 1_000_000;

/** The environment of the clients in one process, until the parent ends it. */
export type Box = {
  readonly world: ClientWorld;
  /** Returns how many events have been sent, whatever the result. */
  published(): number;
  end(): void;
};

export type BoxOptions = {
  readonly seed: string;
  readonly random: SeededRandom;
  /** Returns the current URLs of the servers. */
  readonly urls: () => readonly string[];
  /** The maximum number of events in one publish. */
  readonly batch: number;
  /**
   * If true, every publish is a single put. DynamoDB Local on disk loses transactions that it
   * confirmed within some milliseconds of a kill. Neither dynoxide nor AWS does.
   */
  readonly singlePuts: boolean;
  /** The number of partitions of a new stream. */
  readonly partitions?: number;
  readonly recorder: Recorder;
  /** The number before that of the first event. */
  readonly events: number;
  readonly keep: ClientWorld["keep"];
  readonly fail: ClientWorld["fail"];
};

export function createBox(options: BoxOptions): Box {
  const { seed, random, urls, batch, singlePuts, partitions = 3, recorder, keep, fail } = options;
  const cursors = createCursors([{ id: 1, secret: Buffer.from(BOX_KEY) }]);
  const apis = urls().map(
    (_, index) =>
      ({ ledger: createHttpLedger(() => urls()[index] ?? "", BOX_KEY) }) as unknown as Api,
  );
  const plan: Plan = {
    ...drawPlan(seededRandom(seed)),
    partitions,
    retentionHours: 24,
    keys: 120,
    requests: 4,
    burst: batch,
    ...(singlePuts ? { keyed: 0, oneKey: 1, seeks: 0 } : { keyed: 0.4, oneKey: 0.85, seeks: 0.02 }),
    // A client that reads a long log again from its beginning takes longer than the time for
    // catching up.
    tombstones: 0.15,
    crashes: 0.05,
    seeksTo: ["latest"],
    polls: 20,
    failing: 0,
    leaves: 0.05,
    leaseSeconds: LEASE_SECONDS,
    skewMs: 0,
    deletes: 0,
    publishPaceMs: [1, 5, 20],
    readPaceMs: [20, 100, 400],
    pageLimits: [50, 1_000, 1_000],
  };
  let { events } = options;
  let over = false;
  const world: ClientWorld = {
    plan,
    random,
    recorder,
    keep,
    fail,
    time: { nowMs: sharedMs },
    tap: { liveUid: () => undefined, firstPartition: () => 0, takeTouched: () => [] },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    anyApi: (chance) => chance.pick(apis),
    call: ({ ledger }, run) => run(ledger),
    nextEvent: () => ++events,
    isOver: () => over,
    readCursor: cursors.parse,
  };
  return {
    world,
    published: () => events - options.events,
    end: () => {
      over = true;
    },
  };
}
