import { createCursors } from "../../packages/core/src/cursor/cursor.ts";
import { type SeededRandom, seededRandom } from "../model/fake/seeded-random.ts";
import { drawPlan, type Plan } from "../sim/plan.ts";
import { createRecorder } from "../sim/recorder.ts";
import type { Api, ClientWorld } from "../sim/world.ts";
import { createHttpLedger } from "./http-ledger.ts";
import type { Killable } from "./killable.ts";

/** The admin key of the servers, and the secret of their cursors. */
export const BOX_KEY = "a-key-for-the-black-box-only";

/** The world of the clients outside of the processes, until somebody says that it is over. */
export type Box = {
  readonly world: ClientWorld;
  readonly failures: readonly string[];
  /** How many events have been published, whatever became of them. */
  published(): number;
  end(): void;
};

export type BoxOptions = {
  readonly seed: string;
  readonly random: SeededRandom;
  readonly servers: readonly Killable[];
  /** The most events in one publish. */
  readonly batch: number;
  /**
   * Every publish is a single put: DynamoDB Local on disk, when it is killed, loses transactions that
   * it confirmed some milliseconds before. AWS does not.
   */
  readonly singlePuts: boolean;
};

export function createBox({ seed, random, servers, batch, singlePuts }: BoxOptions): Box {
  const recorder = createRecorder(() => performance.now());
  const cursors = createCursors([{ id: 1, secret: Buffer.from(BOX_KEY) }]);
  const apis = servers.map(
    ({ name, url }) => ({ name, ledger: createHttpLedger(url, BOX_KEY) }) as unknown as Api,
  );
  const plan: Plan = {
    ...drawPlan(seededRandom(seed)),
    ...{ partitions: 3, retentionHours: 24, keys: 200, requests: 4, burst: batch },
    ...(singlePuts ? { keyed: 0, oneKey: 1 } : { keyed: 0.4, oneKey: 0.85 }),
    ...{ tombstones: 0.15, crashes: 0.05, seeks: 0, polls: 20, skewMs: 0, deletes: 0 },
    ...{ publishPaceMs: [1, 5, 20], readPaceMs: [1, 10, 100], pageLimits: [50, 1_000, 1_000] },
  };
  const failures: string[] = [];
  let events = 0;
  let over = false;
  const world: ClientWorld = {
    ...{ plan, random, recorder },
    time: { nowMs: () => performance.now() },
    tap: { liveUid: () => undefined, takeTouched: () => [] },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    anyApi: (chance) => chance.pick(apis),
    call: ({ ledger }, run) => run(ledger),
    nextEvent: () => ++events,
    isOver: () => over,
    fail: (what) => failures.push(what),
    readCursor: cursors.parse,
  };
  return {
    ...{ world, failures },
    published: () => events,
    end: () => {
      over = true;
    },
  };
}
