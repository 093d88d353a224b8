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

  const forget = async (key: string): Promise<void> => {
    known.delete(key);
    await table.pushWork.removeRetry(row, key);
  };

  async function record({ event, id, answer }: Failed, next?: PushRetry): Promise<void> {
    const nowMs = clock.now();
    const failure = {
      id,
      key: event.key,
      sequence: event.sequence,
      at: nowMs,
      attempt: next?.attempts ?? 1,
      nextAttemptAt: next?.retryAt,
      ...describeAnswer(answer),
    };
    const expiresAt = Math.ceil((nowMs + LIMITS.pushFailureDays * DAY_MS) / 1_000);
    await table.pushWork.addFailure(row, failure, {
      expiresAt,
      random: Buffer.from(random.bytes(6)).toString("hex"),
    });
  }

  return {
    record,

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
          await forget(key);
        }
      }
    },

    /** Returns when the first of the waiting keys is tried again. Infinity when none is. */
    nextRetryAt: (): number =>
      Math.min(...Array.from(known.values(), ({ retryAt: at }) => at ?? Number.POSITIVE_INFINITY)),

    /** Whether this event has failed before. */
    hasFailed: ({ key, sequence }: StoredEvent): boolean => known.get(key)?.sequence === sequence,

    /**
     * Records that an event was accepted. Its key stops waiting, unless a later event of it has
     * failed.
     */
    async accepted({ key, sequence }: StoredEvent): Promise<void> {
      const waiting = known.get(key);
      if (waiting !== undefined && sequence >= waiting.sequence) await forget(key);
    },

    /**
     * Parks the key of a failed event, while the worker that polled the page holds its partition.
     * The next attempt is recorded first, so that it is not lost. "full" when no more keys can be
     * parked.
     */
    async park(failed: Failed, { cursor }: Pick<Poll, "cursor">): Promise<PushRetry | "full"> {
      const { event, answer } = failed;
      const { key, sequence } = event;
      const before = known.get(key);
      const attempts = before?.sequence === sequence ? before.attempts + 1 : 1;
      const draw = { nowMs: clock.now(), fraction: random.fraction() };
      const next = { key, sequence, attempts, retryAt: retryAt(attempts, answer, draw) };
      await table.pushWork.putRetry(row, next);
      known.set(key, next);
      const asked = { key, sequence, reason: reasonOf(answer) };
      try {
        await parking.park(stream, name, asked, cursor.tokens);
      } catch (error) {
        if (!(error instanceof LedgerError) || error.code !== "not-parkable") throw error;
        await forget(key);
        return "full";
      }
      await record(failed, next);
      return next;
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
