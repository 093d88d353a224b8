import { ageMs, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { bareName, ownerOf } from "../model/names.ts";
import { changePush } from "../push/change-push.ts";
import { createDisabling } from "../push/disabling.ts";
import { portOf } from "../push/endpoint.ts";
import { isDue } from "../push/push-plan.ts";
import { pushesRung, type RungKey } from "../push/ring.ts";
import { type PushRun, type RunControl, runPush } from "../push/run-push.ts";
import type { PushId, PushRow } from "../table/push.entity.ts";
import type { Parts } from "./parts.ts";

/** The delay of a run that follows one which could not look everywhere. */
const SOON_MS = 1_000;
const GONE = new Set(["stream-not-found", "subscription-not-found"]);
const NOTHING: PushRun = { delivered: 0, failed: 0 };

/** `isRepeated` is true when an earlier run of the same bell has thrown. */
type AloneLimits = {
  readonly budgetMs: number;
  readonly awakeMs: number;
  readonly isRepeated?: boolean;
};

/** Finds the pushes that have something to send, and sends it. */
export function pushRunOperations(parts: Parts) {
  const { table, clock, streams, subscriptions } = parts;
  const disabling = createDisabling(parts.audit);

  return {
    /** Returns the pushes that records of the table's stream concern. */
    ringPushes: (keys: readonly RungKey[]): Promise<PushId[]> =>
      pushesRung(table, keys, clock.now()),

    /**
     * Returns all pushes that are not disabled. They are rung regularly, in case a ring was lost.
     * Returns those whose entry in the audit stream is missing as well.
     */
    async listPushes(): Promise<PushId[]> {
      const rows = await table.pushes.list();
      return rows.filter((row) => row.disabled === undefined || row.unrecorded !== undefined);
    },

    /**
     * Sends the events that wait for an endpoint, for at most `budgetMs` plus the time of the last
     * page. A push whose subscription is gone is removed.
     */
    async runPush(id: PushId, { budgetMs }: { readonly budgetMs: number }): Promise<PushRun> {
      const row = await table.pushes.load(id);
      if (row === undefined) return NOTHING;
      await recordLate(row);
      return runRow(row, { budgetMs });
    },

    /**
     * Does the same, but only while no other pusher does. The other one looks once more before it
     * ends, so nothing is rung for a new batch until then. After `awakeMs` it counts as dead.
     */
    async runPushAlone(
      id: PushId,
      { budgetMs, awakeMs, isRepeated = false }: AloneLimits,
    ): Promise<PushRun> {
      const row = await table.pushes.load(id);
      const nowMs = clock.now();
      if (row !== undefined) await recordLate(row);
      if (row === undefined || !isDue(row, nowMs)) return NOTHING;
      const { awakeUntil = 0 } = row;
      const untilMs = nowMs + awakeMs;
      const isAlone = awakeUntil <= nowMs && (await table.pushes.wake(row, { nowMs, untilMs }));
      if (!isAlone) return { ...NOTHING, againAt: Math.max(awakeUntil, nowMs + SOON_MS) };
      let isSettled = false;
      const settle = async () => {
        await table.pushes.rest(row, untilMs);
        isSettled = true;
      };
      try {
        const control = { budgetMs, settle, isRepeated: isRepeated || awakeUntil > 0 };
        const run = await runRow(row, control);
        return isSettled ? run : { againAt: clock.now() + SOON_MS, ...run };
      } finally {
        if (!isSettled) await settle();
      }
    },
  };

  /** Runs a push as its row is now. */
  async function runRow(
    row: PushRow,
    { budgetMs, ...control }: { readonly budgetMs: number } & Omit<RunControl, "mayGoOn">,
  ): Promise<PushRun> {
    const id: PushId = row;
    const stream = await streams.load(ownerOf(row.name), bareName(row.name)).catch(gone);
    if (stream?.life !== id.life) return removePush(id);
    const began = takeStamp(clock);
    const mayGoOn = () => ageMs(clock, began) < budgetMs;
    const deps = { ...parts, ...portOf(parts), noteDisabled: disabling.note };
    try {
      return await streams.follow(ownerOf(row.name), stream, async (present) => {
        const state = await subscriptions.load(present, row.subscription).catch(gone);
        if (state?.row.uid !== id.subscriptionUid) return removePush(id);
        return runPush(deps, present, row, { mayGoOn, ...control });
      });
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "retention-passed") throw error;
      // Only a person can decide where to continue. Until then nothing can be sent.
      const noted = await disabling.note(row, "retention-passed");
      await changePush(table, row, () => ({ disabled: "retention-passed", ...noted }));
      return NOTHING;
    }
  }

  /** Writes the audit entry of a push that the server has disabled, if it is still missing. */
  async function recordLate(row: PushRow): Promise<void> {
    if (await disabling.recordLate(row)) await changePush(table, row, () => ({ unrecorded: null }));
  }

  async function removePush(id: PushId): Promise<PushRun> {
    await table.pushes.remove(id);
    await table.pushWork.removeAll(id);
    return NOTHING;
  }
}

function gone(error: unknown): undefined {
  if (error instanceof LedgerError && GONE.has(error.code)) return undefined;
  throw error;
}
