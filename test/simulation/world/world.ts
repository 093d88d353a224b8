import { createCursors } from "../../../packages/core/src/cursor/cursor.ts";
import { createLedger, type Ledger } from "../../../packages/core/src/ledger.ts";
import type { Connection } from "../../../packages/core/src/table/connection.ts";
import { isRead } from "../dynamodb/operation.ts";
import { type SeededRandom, seededRandom } from "../dynamodb/seeded-random.ts";
import {
  createVirtualTime,
  type VirtualProcess,
  type VirtualTime,
} from "../dynamodb/virtual-clock.ts";
import { createFakeObjects, type FakeObjects } from "../objects/fake-objects.ts";
import { objectFaults } from "../objects/faults.ts";
import { createEndpoint, type Endpoint } from "./endpoint.ts";
import { watchPusher } from "./fencing.ts";
import {
  drawBriefPlan,
  drawErasingPlan,
  drawGrowingPlan,
  drawListingPlan,
  drawMeteredPlan,
  drawPlan,
  drawPushingPlan,
  type Plan,
} from "./plan.ts";
import { type Bells, noBells } from "./pushers.ts";
import type { Follower } from "./readers.ts";
import { createRecorder, NoAnswer, type Note, type Recorder } from "./recorder.ts";
import { noRestores, type Restores } from "./restore-nemesis.ts";
import { createStore, type SimulatedStore } from "./tables.ts";
import { createTap, type Tap } from "./tap.ts";

const TABLE = "simulated";
const CURSOR_KEYS = [{ id: 1, secret: Buffer.from("a secret of the simulation") }];

/** One simulated process that runs the product. */
export type Api = {
  readonly name: string;
  readonly process: VirtualProcess;
  readonly ledger: Ledger;
};

export type World = {
  readonly seed: string;
  readonly plan: Plan;
  readonly random: SeededRandom;
  readonly time: VirtualTime;
  readonly store: SimulatedStore;
  readonly bucket: FakeObjects;
  readonly recorder: Recorder;
  readonly tap: Tap;
  readonly apis: Api[];
  readonly restores: Restores;
  readonly endpoint: Endpoint;
  readonly bells: Bells;
  /** The last steps of the store. */
  readonly trace: string[];
  readonly readCursor: ReturnType<typeof createCursors>["parse"];
  /** Returns the number of a new event. */
  nextEvent(): number;
  /** Returns whether nothing new may be started. */
  isOver(): boolean;
  setOver(over: boolean): void;
  /** From now on requests take the usual time. */
  calm(): void;
  /** Observations that no client may make. Each is a violation. */
  readonly failures: string[];
  fail(what: string): void;
  /** Starts a process, or replaces a dead one. */
  startApi(name: string): Api;
  /** Returns a random live process. */
  anyApi(random: SeededRandom): Api;
  /** Waits outside of all processes, like a client. */
  sleep(ms: number): Promise<void>;
  /**
   * Stores what a client must know after a crash together with a line of the history: both or
   * neither.
   */
  keep(follower: Follower, note?: Note): void;
  /**
   * Makes a client's call. The client stops waiting after a while, and a dead process never
   * answers.
   */
  call<T>(api: Api, run: (ledger: Ledger) => Promise<T>, patienceMs?: number): Promise<T>;
};

/** A seed with this prefix is played by a brief plan. */
export const BRIEF = "brief-";
/** A seed with this prefix is played by a plan that erases keys. */
export const ERASING = "erasing-";
/** A seed with this prefix is played by a plan with a quota. */
export const METERED = "metered-";
/** A seed with this prefix is played by a plan with lists of current states and of changes. */
export const LISTING = "listing-";

/** A seed with this prefix is played by a plan whose stream gets more partitions by itself. */
export const GROWING = "growing-";

/** A seed with this prefix is played by a plan whose events are pushed to an endpoint. */
export const PUSHING = "pushing-";

/** The kinds of seeds by their prefixes. */
export const KINDS = [BRIEF, ERASING, METERED, LISTING, GROWING, PUSHING] as const;

const PLANS: Readonly<Record<(typeof KINDS)[number], typeof drawPlan>> = {
  [BRIEF]: drawBriefPlan,
  [ERASING]: drawErasingPlan,
  [METERED]: drawMeteredPlan,
  [LISTING]: drawListingPlan,
  [GROWING]: drawGrowingPlan,
  [PUSHING]: drawPushingPlan,
};

const drawFor = (seed: string) => {
  const kind = KINDS.find((prefix) => seed.startsWith(prefix));
  return kind === undefined ? drawPlan : PLANS[kind];
};

const TRACE_LINES = 400;

/** The part of a world that clients need. The same clients run against real processes. */
export type ClientWorld = Pick<
  World,
  | ("plan" | "random" | "sleep" | "recorder" | "anyApi" | "call")
  | ("nextEvent" | "isOver" | "fail" | "readCursor" | "keep")
> & {
  readonly time: Pick<VirtualTime, "nowMs">;
  readonly tap: Pick<Tap, "liveUid" | "firstPartition" | "takeTouched">;
};

/** Creates the environment of one seed: store, time and processes. */
export function createWorld(seed: string, given?: Partial<Plan>): World {
  const random = seededRandom(seed);
  const draw = drawFor(seed);
  const plan: Plan = { ...draw(random.fork("plan")), ...given };
  const time = createVirtualTime(random.fork("time"));
  const trace: string[] = [];
  const { latencyMs, ...delays } = plan.store;
  let slow = 0.02;
  const store = createStore({
    tableName: TABLE,
    seed,
    time,
    timeoutMs: 2_000,
    ...delays,
    latencyMs: (chance) => latencyMs * (0.2 + chance.fraction() * (chance.chance(slow) ? 30 : 1)),
    trace: (line) => {
      trace.push(line);
      if (trace.length > 2 * TRACE_LINES) trace.splice(0, TRACE_LINES);
    },
  });
  const bucket = createFakeObjects({
    seed,
    time,
    locks: false,
    latencyMs: (chance) => latencyMs * (1 + chance.fraction() * 4),
  });
  const recorder = createRecorder(time.nowMs);
  const apis: Api[] = [];
  const cursors = createCursors(CURSOR_KEYS);
  const tap = createTap(store, recorder);
  const endpoint = createEndpoint({
    ...{ time, plan, recorder, nameOf: tap.nameOf },
    random: random.fork("endpoint"),
  });
  const failures: string[] = [];
  let events = 0;
  let over = false;
  let started = 0;

  const startApi = (name: string): Api => {
    const life = `${name}.${++started}`;
    const chance = random.fork(life);
    const skewMs = plan.skewMs === 0 ? 0 : chance.between(-plan.skewMs, plan.skewMs);
    const process = time.process(life, { skewMs, monotonicStops: plan.monotonicStops });
    const watched = watchPusher(store.client(process), { store, recorder });
    const pushes = plan.pushes > 0;
    const client = pushes ? watched.client : store.client(process);
    const ledger = createLedger({
      // ElectroDB needs only the `send` of a client, which the fake provides.
      client: client as unknown as Connection["client"],
      tableName: store.tableName(),
      clock: process.clock,
      random: chance,
      cursorKeys: CURSOR_KEYS,
      objects: bucket.objects(process),
      // Some processes put compacted rows one by one, as on AWS, and others together.
      rowsTogether: 1 + 2 * (started % 2),
      growthRule: plan.growsAt,
      push: pushes ? endpoint.portOf(process, watched.workerOf) : undefined,
    });
    return { name, process, ledger };
  };
  for (let index = 0; index < plan.apis; index++) apis.push(startApi(`api-${index}`));

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => time.after(ms, () => resolve()));

  return {
    seed,
    plan,
    random,
    time,
    store,
    bucket,
    recorder,
    tap,
    apis,
    trace,
    startApi,
    sleep,
    readCursor: (text) => {
      const cursor = cursors.parse(text);
      return { ...cursor, life: tap.nameOf(cursor.life) };
    },
    restores: noRestores(),
    endpoint,
    bells: noBells(),
    failures,
    fail: (what) => failures.push(what),
    nextEvent: () => ++events,
    isOver: () => over,
    setOver: (to) => {
      over = to;
    },
    calm: () => {
      slow = 0;
    },
    anyApi: (chance) => chance.pick(apis),
    // Clients in this process keep their state, except for what `crash` removes.
    keep: (_, note) => {
      if (note !== undefined) recorder.note(note);
    },
    call: (api, run, patienceMs = plan.patienceMs) => {
      const { ledger, process } = api;
      return new Promise((resolve, reject) => {
        if (process.state() === "dead") {
          reject(new NoAnswer());
          return;
        }
        let open = true;
        const settle = (tell: () => void) => () => {
          if (!open) return;
          open = false;
          tell();
        };
        time.after(
          patienceMs,
          settle(() => reject(new NoAnswer())),
        );
        // A frozen process receives the request when it thaws.
        const take = () =>
          run(ledger).then(
            (result) => settle(() => resolve(result))(),
            (error: unknown) => settle(() => reject(error))(),
          );
        if (process.state() === "frozen") process.after(0, () => void take());
        else void take();
      });
    },
  };
}

/** Starts the faults of a plan. */
export function startFaults({ store, bucket, plan }: World): void {
  store.setFaults((operation) => (isRead(operation) ? plan.readFaults : plan.writeFaults));
  const rate = plan.bucketFaults / objectFaults.length;
  bucket.setFaults(() => Object.fromEntries(objectFaults.map((fault) => [fault, rate])));
}
