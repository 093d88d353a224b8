import { LIMITS, type PushStatus } from "@eventledger/protocol";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { Disabled, Outage, PushRow } from "../table/push.entity.ts";

/** The answer of an endpoint to a delivery. */
export type PushAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The value of `Retry-After` in milliseconds, if there is one. */
      readonly retryAfterMs?: number | undefined;
      /** The beginning of the body. */
      readonly text: string;
    }
  /** No connection, no answer in time, or an address that must not be used. */
  | {
      readonly kind: "unreachable";
      readonly error: string;
      /** True when the event was sent, and only the answer is missing. */
      readonly isSent?: boolean;
    };

export type Verdict = "delivered" | "failed" | "unreachable" | "gone";

const GONE = 410;

export function judge(answer: PushAnswer): Verdict {
  // An endpoint may fail to answer because of the event, so other keys are sent to it.
  if (answer.kind === "unreachable") return answer.isSent === true ? "failed" : "unreachable";
  if (answer.status === GONE) return "gone";
  return answer.status >= 200 && answer.status < 300 ? "delivered" : "failed";
}

/** Whether events may be sent now: the push is not disabled, and waits for no probe. */
export const isDue = (
  { disabled, outage }: Pick<PushRow, "disabled" | "outage">,
  nowMs: number,
): boolean => disabled === undefined && (outage === undefined || outage.probeAt <= nowMs);

/** Returns the state of a push as clients see it. */
export const statusOf = ({ disabled, outage }: Pick<PushRow, "disabled" | "outage">): PushStatus =>
  disabled !== undefined ? "disabled" : outage !== undefined ? "failing" : "enabled";

/** The reason why a server disables a push, as it is recorded. */
export const DISABLED_BECAUSE: Readonly<Record<Exclude<Disabled, "asked">, string>> = {
  gone: "the endpoint answered 410",
  failing: `the endpoint accepted nothing for ${LIMITS.pushDisabledAfterDays} days`,
  "retention-passed": "the log no longer has the events at the position",
  "outside-prefix": "the filter lets keys through that are outside the prefix of the endpoint",
};

/** What an operator does about a disabled push. */
export const REMEDIES: Readonly<Record<Disabled, string>> = {
  asked: "Enable the push with POST .../push/enable. It goes on where it was.",
  gone: "The endpoint answered 410. Set the right URL with PUT .../push, then enable the push.",
  failing: "Correct the endpoint and try it with POST .../push/test, then enable the push.",
  "retention-passed":
    "The log no longer has the events at the position. Seek the subscription, such as to `earliest`, then enable the push.",
  "outside-prefix":
    "The filter lets keys through that the caller who set the endpoint may not read. Narrow the filter again, or set the endpoint with an API key that is not bound to a prefix, then enable the push.",
};

const SECOND_MS = 1_000;

/** The delays between the attempts of a key, and between the probes of an endpoint. */
export const RETRY_DELAYS_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** Each delay varies by this share, so that many keys are not retried at the same moment. */
const JITTER = 0.2;
const RETRY_AFTER_MAX_MS = HOUR_MS;
/**
 * An endpoint is considered out of order when it fails for this many keys and succeeds for none.
 */
const KEYS_FAILED_MAX = 3;
const KEYS_FAILED_WITHIN = 10;

const varied = (delayMs: number, fraction: number): number =>
  Math.round(delayMs * (1 + JITTER * (2 * fraction - 1)));

/**
 * Returns when a key is tried again after it has failed `attempts` times. Undefined after the last
 * attempt. `fraction` is random, from 0 to 1.
 */
export function retryAt(
  attempts: number,
  answer: PushAnswer,
  { nowMs, fraction }: { readonly nowMs: number; readonly fraction: number },
): number | undefined {
  const delayMs = RETRY_DELAYS_MS[attempts - 1];
  if (delayMs === undefined) return undefined;
  const asked = answer.kind === "answered" ? (answer.retryAfterMs ?? 0) : 0;
  return nowMs + Math.max(varied(delayMs, fraction), Math.min(asked, RETRY_AFTER_MAX_MS));
}

/** Returns the outage after a probe, or after the first failures. "over" after too many days. */
export function outageAfter(
  before: Outage | undefined,
  { nowMs, fraction }: { readonly nowMs: number; readonly fraction: number },
): Outage | "over" {
  const since = before?.since ?? nowMs;
  if (nowMs - since >= LIMITS.pushDisabledAfterDays * DAY_MS) return "over";
  const step = before === undefined ? 0 : before.step + 1;
  const last = RETRY_DELAYS_MS.length - 1;
  const delayMs = RETRY_DELAYS_MS[Math.min(step, last)] ?? DAY_MS;
  return { since, step, probeAt: nowMs + varied(delayMs, fraction) };
}

/**
 * Decides during a run whether an endpoint is out of order. `streak` are the keys that it has
 * refused since it last accepted an event. In the middle of a page of an endpoint that has accepted
 * events, more of them are needed, because several keys may fail by chance. But nothing is parked
 * if a page ends with too many.
 */
export function createCircuit(streak: readonly string[] = []) {
  const failed = new Set(streak);
  let hasAccepted = false;
  let open = false;
  return {
    isOpen: (): boolean => open,
    streak: (): readonly string[] => [...failed],
    succeeded: (): void => {
      hasAccepted = true;
      failed.clear();
    },
    failed(key: string, verdict: Verdict): void {
      failed.add(key);
      const most = hasAccepted ? KEYS_FAILED_WITHIN : KEYS_FAILED_MAX;
      if (verdict !== "failed" || failed.size >= most) open = true;
    },
    pageEnded: (): void => {
      if (failed.size >= KEYS_FAILED_MAX) open = true;
    },
  };
}

/** A run begins with a small page, because a slow endpoint may take long for each event. */
export const FIRST_PAGE = 8;
export const PAGE_MAX = 256;
/** A probe takes keys by chance from a page, so that the same bad keys are not tried each time. */
export const PROBE_PAGE = 64;
const QUICK_MS = 2_000;
const SLOW_MS = 10_000;

/** Returns the size of the next page, by how long the last one took. */
export function nextPageSize(size: number, tookMs: number): number {
  if (tookMs > SLOW_MS) return Math.max(FIRST_PAGE, Math.floor(size / 2));
  return tookMs < QUICK_MS ? Math.min(PAGE_MAX, size * 2) : size;
}
