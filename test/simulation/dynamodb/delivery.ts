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

/** How long one way through the network, or one piece of work in the store, takes. */
export type Latency = (random: SeededRandom) => number;

export type DeliveryOptions = {
  readonly latencyMs: Latency;
  /** After this the caller gets a TimeoutError, whatever became of the request. */
  readonly timeoutMs: number;
  /** The longest a query page takes to be read, during which its items may change. */
  readonly scanMs: number;
  /** The longest a transaction takes from its verdict to its last effect. */
  readonly commitMs: number;
};

export type Reply = { readonly value: unknown } | { readonly error: unknown };

/** What a request meets on its way. */
export type Delivery = {
  readonly options: DeliveryOptions;
  readonly random: SeededRandom;
  readonly operation: Operation;
  readonly fault: Fault | undefined;
};

/** The error of a fault that hits before the store looks at the request; undefined for others. */
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

/** The error that takes the place of the store's reply; undefined for the reply itself. */
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

/** Carries a request out in one go, with its fault but without time. */
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
 * Sends a request through virtual time. It leaves the process (not while that is frozen, never
 * once it is dead), travels, takes effect in the store, and its reply travels back to the process.
 * The caller's patience ends after `timeoutMs`; the request goes on without it.
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
  // The process may be frozen between its decision to send and the first byte on the wire.
  process.after(hop() / 10, () => {
    process.after(options.timeoutMs, () => settle({ error: timeoutError() }));
    if (fault === "timeout-before") return;
    const late = fault === "timeout-late" ? options.timeoutMs + random.fraction() * lateMsMax : 0;
    time.after(hop() + late, arrive);
  });
};

/** Starts, lets the effects come at their own moments, finishes. */
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

/** The longest that this operation is under way inside the store. */
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

/** Rejects as soon as the caller aborts; the request itself goes on. */
export const onAbort = (signal: AbortSignal | undefined, reject: (error: Error) => void): void => {
  if (signal === undefined) return;
  if (signal.aborted) reject(abortError());
  else signal.addEventListener("abort", () => reject(abortError()), { once: true });
};
