import { LIMITS } from "@eventledger/protocol";
import type { Clock } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import type { Random } from "../kernel/random.ts";
import { DAY_MS } from "../kernel/time.ts";
import type { StoredEvent } from "../model/event.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Parking } from "../subscription/parking/parking.ts";
import type { Poll } from "../subscription/poll/page.ts";
import type { PushRow } from "../table/push.entity.ts";
import type { PushRetry } from "../table/push-work.entity.ts";
import type { Table } from "../table/table.ts";
import { type PushAnswer, retryAt } from "./push-plan.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly parking: Parking;
};

/** An event that its endpoint did not accept. */
export type Failed = {
  readonly event: StoredEvent;
  /** The first sequence of the batch that contains it. */
  readonly batch: number;
  /** The id of the delivery. */
  readonly id: string;
  readonly answer: PushAnswer;
};

/** The key is free already, or the log no longer has the event to retry. */
const NOT_WAITING = new Set(["parked-key-not-found", "retention-passed"]);

/** Loads the keys of a push that wait for their next attempt, and records failures. */
export async function loadSetAside(deps: Deps, stream: LiveStream, row: PushRow) {
  const { table, clock, random, parking } = deps;
  const name = row.subscription;
  const known = new Map<string, PushRetry>();
  for (const each of await table.pushWork.retries(row)) known.set(each.key, each);
  /** The keys whose row in the table is not as `known` says. */
  const changed = new Set<string>();

  const forget = (key: string): void => {
    known.delete(key);
    changed.add(key);
  };

  /** Writes what has changed. Until then, a crash leaves records that are ignored. */
  async function flush(): Promise<void> {
    const keys = [...changed];
    changed.clear();
    await table.pushWork.changeRetries(row, {
      put: keys.flatMap((key) => known.get(key) ?? []),
      removed: keys.filter((key) => !known.has(key)),
    });
  }

  async function record(
    failures: readonly Failed[],
    nextOf: (failed: Failed) => PushRetry | undefined = () => undefined,
  ): Promise<void> {
    const nowMs = clock.now();
    const rows = failures.map((failed) => {
      const { event, id, answer } = failed;
      const { key, sequence } = event;
      const { attempts: attempt = 1, retryAt: nextAttemptAt } = nextOf(failed) ?? {};
      const suffix = Buffer.from(random.bytes(6)).toString("hex");
      const of = { id, key, sequence, at: nowMs, attempt, nextAttemptAt };
      return { ...of, ...describeAnswer(answer), random: suffix };
    });
    const expiresAt = Math.ceil((nowMs + LIMITS.pushFailureDays * DAY_MS) / 1_000);
    await table.pushWork.addFailures(row, rows, expiresAt);
  }

  /**
   * Returns the next attempt of a key whose event has failed. An event of the log itself is a first
   * attempt: what is known about its key is from before a seek.
   */
  function planNext({ event: { key, sequence }, answer }: Failed, isRetry: boolean): PushRetry {
    const before = isRetry ? known.get(key) : undefined;
    const attempts = before?.sequence === sequence ? before.attempts + 1 : 1;
    const draw = { nowMs: clock.now(), fraction: random.fraction() };
    return { key, sequence, attempts, retryAt: retryAt(attempts, answer, draw) };
  }

  return {
    flush,

    /** Records failures whose keys are not parked. */
    record: (failures: readonly Failed[]): Promise<void> => record(failures),

    /** Lets the keys whose time has come be delivered again. */
    async releaseDue(): Promise<void> {
      const nowMs = clock.now();
      const due = [...known.values()].filter(({ retryAt: at = Infinity }) => at <= nowMs);
      if (due.length === 0) return;
      const keys = due.map(({ key }) => key);
      const released = await parking.retryAll(stream, name, keys);
      for (const waiting of due) {
        const { key } = waiting;
        try {
          if (!released.has(key)) await parking.release(stream, name, { key, how: "retry" });
          known.set(key, { ...waiting, retryAt: undefined });
        } catch (error) {
          if (!(error instanceof LedgerError) || !NOT_WAITING.has(error.code)) throw error;
          forget(key);
        }
      }
    },

    /** Returns when the first of the waiting keys is tried again. Infinity when none is. */
    nextRetryAt: (): number =>
      Math.min(...Array.from(known.values(), ({ retryAt: at }) => at ?? Number.POSITIVE_INFINITY)),

    /** Whether this event has failed before. */
    hasFailed: ({ key, sequence }: StoredEvent): boolean => known.get(key)?.sequence === sequence,

    /**
     * Notes that an event was accepted. Its key stops waiting, unless a later event of it has
     * failed.
     */
    accepted({ key, sequence }: StoredEvent): void {
      const waiting = known.get(key);
      if (waiting !== undefined && sequence >= waiting.sequence) forget(key);
    },

    /**
     * Parks the keys of failed events, while the worker that polled the page holds their
     * partitions. The next attempts are recorded first, so that none is lost. Returns whether there
     * was room for all of them, and the time of the first of these attempts.
     */
    async park(
      failures: readonly Failed[],
      { cursor, queues }: Pick<Poll, "cursor" | "queues">,
    ): Promise<{ isRoom: boolean; retryAt: number }> {
      const isRetry = queues !== undefined || cursor.queue !== undefined;
      const next = new Map(failures.map((failed) => [failed, planNext(failed, isRetry)]));
      for (const each of next.values()) {
        known.set(each.key, each);
        changed.add(each.key);
      }
      await flush();
      const asked = failures.map(({ answer, ...of }) => ({ ...of, reason: reasonOf(answer) }));
      const without = await parking.parkAll(stream, name, asked, cursor.tokens);
      for (const key of without) forget(key);
      const parked = ({ event }: Failed): boolean => !without.has(event.key);
      await record(failures, (failed) => (parked(failed) ? next.get(failed) : undefined));
      const times = failures.filter(parked).map((each) => next.get(each)?.retryAt ?? Infinity);
      return { isRoom: without.size === 0, retryAt: Math.min(...times) };
    },
  };
}

/** Describes the answer of an endpoint for people. */
export const describeAnswer = (answer: PushAnswer) =>
  answer.kind === "unreachable"
    ? { error: answer.error }
    : { status: answer.status, answer: answer.text.slice(0, LIMITS.pushAnswerCharsKept) };

const reasonOf = (answer: PushAnswer): string =>
  answer.kind === "answered" ? `the endpoint answered ${answer.status}` : answer.error;
