import {
  abortError,
  conflictReason,
  innocent,
  internalError,
  resetError,
  throttled,
  timeoutError,
  transactionCanceled,
  transactionConflict,
} from "./aws-error.ts";
import { type Fault, isPartial } from "./faults.ts";
import type { Operation } from "./operation.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualProcess, VirtualTime } from "./virtual-clock.ts";

/** The duration of one way through the network, or of one step in the store. */
export type Latency = (random: SeededRandom) => number;

export type DeliveryOptions = {
  readonly latencyMs: Latency;
  /** After this time the caller gets a TimeoutError, whatever happens to the request. */
  readonly timeoutMs: number;
  /** The maximum time for reading a query page. Its items may change during that time. */
  readonly scanMs: number;
  /** The maximum time of a transaction from its verdict to its last effect. */
  readonly commitMs: number;
};

export type Reply = { readonly value: unknown } | { readonly error: unknown };

/** The circumstances of a request on its way. */
export type Delivery = {
  readonly options: DeliveryOptions;
  readonly random: SeededRandom;
  readonly operation: Operation;
  readonly fault: Fault | undefined;
};

/** Returns the error of a fault that strikes before the store sees the request, or undefined. */
const errorBefore = ({ fault, operation, random }: Delivery): Error | undefined => {
  switch (fault) {
    case "throttle":
      return anyThrottle(random);
    case "error-before":
      return internalError();
    case "reset-before":
      return resetError();
    case "conflict":
      return conflictOf(operation, random);
    default:
      return undefined;
  }
};

/** Returns the error that replaces the store's reply, or undefined. */
const errorAfter = ({ fault, random }: Delivery): Error | undefined => {
  if (fault === "error-after") return internalError();
  if (fault === "reset-after") return resetError();
  return fault === "throttle-after" ? anyThrottle(random) : undefined;
};

const anyThrottle = (random: SeededRandom): Error =>
  throttled(
    random.pick([
      "ProvisionedThroughputExceededException",
      "ThrottlingException",
      "RequestLimitExceeded",
    ] as const),
  );

const conflictOf = ({ name, keys }: Operation, random: SeededRandom): Error => {
  if (name !== "transactWrite" && name !== "transactGet") return transactionConflict();
  const hit = random.between(0, keys.length - 1);
  return transactionCanceled(keys.map((_, index) => (index === hit ? conflictReason : innocent)));
};

/** Executes a request at once, with its fault and without a duration. */
export const deliverAtOnce = (delivery: Delivery): Reply => {
  const { fault } = delivery;
  if (fault === "timeout-late") throw new Error("timeout-late needs virtual time");
  if (fault === "timeout-before") return { error: timeoutError() };
  const refused = errorBefore(delivery);
  if (refused !== undefined) return { error: refused };
  const first = runAtOnce(delivery);
  const reply = fault === "twice" ? runAtOnce(delivery) : first;
  if (fault === "timeout-after") return { error: timeoutError() };
  const error = errorAfter(delivery);
  return error === undefined ? reply : { error };
};

const runAtOnce = ({ operation, fault }: Delivery): Reply =>
  attempt(() => {
    const { parts, finish } = operation.start(isPartial(fault));
    for (const part of parts) part();
    return finish();
  });

const lateMsMax = 5 * 60_000;

/**
 * Sends a request through virtual time. It leaves the process, but not while the process is frozen,
 * and never once it is dead. It travels, takes effect in the store, and its reply travels back. The
 * caller stops waiting after `timeoutMs`, and the request continues without it.
 */
export const deliverInTime = (
  delivery: Delivery,
  time: VirtualTime,
  process: VirtualProcess,
  settle: (reply: Reply) => void,
): void => {
  const { options, random, fault } = delivery;
  const hop = (): number => options.latencyMs(random);
  const give = (reply: Reply): void => {
    process.after(hop(), () => settle(reply));
  };
  const answer = (reply: Reply): void => {
    if (fault === "timeout-after" || fault === "timeout-late") return;
    const error = errorAfter(delivery);
    if (fault === "twice") time.after(hop(), () => runInTime(delivery, time, give));
    else give(error === undefined ? reply : { error });
  };
  const arrive = (): void => {
    const refused = errorBefore(delivery);
    if (refused === undefined) runInTime(delivery, time, answer);
    else give({ error: refused });
  };
  // The process may be frozen between its decision to send and the first byte.
  process.after(hop() / 10, () => {
    process.after(options.timeoutMs, () => settle({ error: timeoutError() }));
    if (fault === "timeout-before") return;
    const late = fault === "timeout-late" ? options.timeoutMs + random.fraction() * lateMsMax : 0;
    time.after(hop() + late, arrive);
  });
};

/** Starts an operation, applies its effects each at its own moment, and finishes it. */
const runInTime = (
  { options, random, operation, fault }: Delivery,
  time: VirtualTime,
  done: (reply: Reply) => void,
): void => {
  const started = attempt(() => operation.start(isPartial(fault)));
  if ("error" in started) {
    done(started);
    return;
  }
  const { parts, finish } = started.value;
  const finishNow = (): void => done(attempt(finish));
  const lastMs = random.fraction() * lengthMs(operation, options);
  if (parts.length === 0 && lastMs === 0) finishNow();
  else if (parts.length === 0) time.after(lastMs, finishNow);
  let left = parts.length;
  for (const part of parts) {
    time.after(random.fraction() * lastMs, () => {
      part();
      left -= 1;
      if (left === 0) finishNow();
    });
  }
};

/** Returns the maximum time that an operation takes inside the store. */
const lengthMs = ({ name }: Operation, { scanMs, commitMs }: DeliveryOptions): number => {
  if (name === "transactWrite") return commitMs;
  return name === "query" || name === "batchGet" ? scanMs : 0;
};

const attempt = <T>(run: () => T): { readonly value: T } | { readonly error: unknown } => {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
};

/** Rejects as soon as the caller aborts. The request itself continues. */
export const onAbort = (signal: AbortSignal | undefined, reject: (error: Error) => void): void => {
  if (signal === undefined) return;
  if (signal.aborted) reject(abortError());
  else signal.addEventListener("abort", () => reject(abortError()), { once: true });
};
