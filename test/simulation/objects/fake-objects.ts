import type { S3Api } from "../../../packages/core/src/objects/connect-s3.ts";
import type { Objects } from "../../../packages/core/src/objects/objects.ts";
import { createS3Objects } from "../../../packages/core/src/objects/s3-objects.ts";
import { type SeededRandom, seededRandom } from "../dynamodb/seeded-random.ts";
import { createTally, type Tally } from "../dynamodb/tally.ts";
import type { VirtualProcess, VirtualTime } from "../dynamodb/virtual-clock.ts";
import { type Bucket, type FakeObject, get, head, list, put, remove } from "./bucket.ts";
import {
  drawObjectFault,
  type ObjectFaultPlan,
  type ObjectOperation,
  objectErrorAfter,
  objectErrorBefore,
  timeoutError,
} from "./faults.ts";

export type FakeObjectsOptions = {
  readonly seed?: number | string;
  /** Lets requests take time. Without it, each is executed when it is sent. */
  readonly time?: VirtualTime;
  /** The true time without `time`, in milliseconds since 1970. It does not move by default. */
  readonly nowMs?: () => number;
  /** The duration of one way through the network. The default is 0. */
  readonly latencyMs?: (random: SeededRandom) => number;
  /** After this time the caller gets a TimeoutError. The default is 15 s. */
  readonly timeoutMs?: number;
  readonly faults?: ObjectFaultPlan;
  /** Whether the bucket has object lock. The default is true. */
  readonly locks?: boolean;
};

export type FakeObjects = {
  /** Returns the product's own `Objects` over this bucket, for one process. */
  objects(process?: VirtualProcess): Objects;
  /** Replaces the faults from the next request on. */
  setFaults(faults?: ObjectFaultPlan): void;
  /** Counts `sent.put`, `fault.slow-down`, `failed.SlowDown` and so on. */
  readonly tally: Tally;
  /** The objects by name. A test can read, change and remove them without a request. */
  readonly stored: Map<string, FakeObject>;
};

/**
 * Creates a bucket in memory below the product's own decisions about lost and unclear answers. One
 * seed gives one sequence of faults. By default it has no faults and takes no time.
 */
export const createFakeObjects = (options: FakeObjectsOptions = {}): FakeObjects => {
  const { seed = 0, time, locks = true, timeoutMs = 15_000, latencyMs = () => 0 } = options;
  const random = seededRandom(`${seed}/objects`);
  const tally = createTally();
  const nowMs = time?.nowMs ?? options.nowMs ?? (() => 0);
  const bucket: Bucket = { objects: new Map(), locks, nowMs };
  let faults = options.faults ?? noFaults;

  const send = <T>(
    operation: ObjectOperation,
    process: VirtualProcess | undefined,
    run: () => T,
  ): Promise<T> => {
    const fault = drawObjectFault(operation, faults, random);
    tally.add(`sent.${operation}`);
    if (fault !== undefined) tally.add(`fault.${fault}`);
    const effect = () => {
      const refused = objectErrorBefore(fault);
      if (refused !== undefined) throw refused;
      const first = attempt(run);
      const reply = fault === "twice" ? attempt(run) : first;
      const lost = objectErrorAfter(fault);
      if (lost !== undefined) throw lost;
      return reply();
    };
    if (time === undefined || process === undefined) {
      if (fault === "timeout-late") throw new Error("timeout-late needs virtual time");
      if (fault === "timeout-before") return Promise.reject(timeoutError());
      const reply = attempt(effect);
      if (fault === "timeout-after") return Promise.reject(timeoutError());
      return new Promise((resolve) => resolve(reply()));
    }
    return new Promise((resolve, reject) => {
      const hop = () => latencyMs(random);
      const isLost = fault === "timeout-after" || fault === "timeout-late";
      // The process may be frozen between its decision to send and the first byte.
      process.after(hop() / 10, () => {
        process.after(timeoutMs, () => reject(timeoutError()));
        if (fault === "timeout-before") return;
        const late = fault === "timeout-late" ? timeoutMs + random.fraction() * LATE_MS_MAX : 0;
        time.after(hop() + late, () => {
          const reply = attempt(effect);
          if (!isLost) process.after(hop(), () => settle(reply, resolve, reject));
        });
      });
    });
  };

  const apiOf = (process: VirtualProcess | undefined): S3Api => ({
    put: (input) => send("put", process, () => put(bucket, input)),
    head: (input) => send("head", process, () => head(bucket, input)),
    get: (input) => send("get", process, () => get(bucket, input)),
    list: (input) => send("list", process, () => list(bucket, input)),
    remove: (input) => send("remove", process, () => remove(bucket, input)),
    sign: async ({ Key }, seconds) => `https://bucket.example/${Key}?until=${nowMs() + seconds}`,
  });

  return {
    objects: (process = time?.process("caller")) => {
      const api = apiOf(process);
      const clock = process?.clock ?? stillClock(nowMs);
      const pauses = seededRandom(`${seed}/pauses/${process?.name}`);
      return createS3Objects({
        bucket: "archive",
        locks,
        connect: async () => api,
        clock,
        random: pauses,
      });
    },
    setFaults: (plan = noFaults) => {
      faults = plan;
    },
    tally,
    stored: bucket.objects,
  };
};

const LATE_MS_MAX = 5 * 60_000;
const noFaults: ObjectFaultPlan = () => ({});

const stillClock = (now: () => number) => ({ now, monotonic: now, sleep: async () => {} });

/** Runs a function now. Returns a function that returns its result, or throws its error. */
const attempt = <T>(run: () => T): (() => T) => {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
};

const settle = <T>(
  reply: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): void => {
  try {
    resolve(reply());
  } catch (error) {
    reject(error);
  }
};
