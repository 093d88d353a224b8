import type { Clock } from "../kernel/clock.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { chainOfEvent } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { bareName, lifeText } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Parking } from "../subscription/parking/parking.ts";
import type { Poll } from "../subscription/poll/page.ts";
import type { PollDeps } from "../subscription/poll/poll.ts";
import { commit } from "../subscription/position/commit.ts";
import type { Leases } from "../subscription/workers/leases.ts";
import { pollShare } from "../subscription/workers/poll-share.ts";
import { leaseMsOf } from "../subscription/workers/until-memory.ts";
import type { Disabled, PushChange, PushRow } from "../table/push.entity.ts";
import type { Table } from "../table/table.ts";
import { type Deliver, deliveryId, type Seal } from "./endpoint.ts";
import { inKeyOrder, type Sent } from "./in-key-order.ts";
import { keepLeases } from "./keep-leases.ts";
import {
  createCircuit,
  FIRST_PAGE,
  isDue,
  judge,
  nextPageSize,
  outageAfter,
  PROBE_PAGE,
} from "./push-plan.ts";
import { type Failed, loadSetAside } from "./set-aside.ts";
import { signingSecrets } from "./signing-secrets.ts";

export type RunDeps = PollDeps & {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly leases: Leases;
  readonly parking: Parking;
  readonly seal: Seal;
  readonly deliver: Deliver;
  /**
   * Records that the server disables a push. Called before it does. Returns what the row has to say
   * about it.
   */
  readonly noteDisabled: (
    row: PushRow,
    because: Exclude<Disabled, "asked">,
  ) => Promise<Pick<PushChange, "unrecorded">>;
};

/** The page of an event that is sent, and its batch. */
type Sending = { readonly failures: Failed[]; readonly page: Poll; readonly batch: number };

/** How often and how long a run waits for a share that a different worker may give up. */
const WAITS = 4;
const WAIT_MS = 250;

const ALL_DONE = { isRoom: true, retryAt: Number.POSITIVE_INFINITY };

/** What a run has done. */
export type PushRun = {
  readonly delivered: number;
  readonly failed: number;
  /**
   * When another run is needed, because this one has postponed something. In milliseconds since
   * 1970.
   */
  readonly againAt?: number | undefined;
};

/** Controls a run from outside. */
export type RunControl = {
  mayGoOn(): boolean;
  /** True after a run that was cut off, and may have lost the time of an attempt. */
  readonly isRepeated?: boolean | undefined;
  /** Called when no event is left. The run then looks once more before it ends. */
  readonly settle?: (() => Promise<void>) | undefined;
};

/**
 * Sends a subscription's events to its endpoint, as a worker of the subscription. It polls, sends,
 * parks what fails, and commits, until nothing is left or `mayGoOn` says no. In the second case,
 * and when the push has changed, `againAt` is now. A run that is cut off leaves a worker whose
 * lease ends by itself. The events of its last page are then sent again, with the same ids.
 */
export async function runPush(
  deps: RunDeps,
  stream: LiveStream,
  first: PushRow,
  { mayGoOn, isRepeated = false, settle }: RunControl,
): Promise<PushRun> {
  const { clock, random, leases } = deps;
  if (!isDue(first, clock.now())) return { delivered: 0, failed: 0 };
  const subscription = first.subscription;
  const consumer = `push-${newUid(random)}`;
  const run = await openRun(deps, stream, first);
  let limit = first.outage === undefined ? FIRST_PAGE : PROBE_PAGE;
  let isSettled = settle === undefined;
  let waits = 0;
  try {
    while (true) {
      if (!mayGoOn() || !(await run.isCurrent())) {
        run.again(clock.now());
        break;
      }
      await run.releaseDue();
      const began = clock.monotonic();
      const request = { limit, consumer, heardMs: clock.now(), together: true };
      const page = await pollShare(deps, stream, subscription, request);
      if (page.events.length === 0 && page.idle) {
        if (!page.caughtUp) {
          // A different worker has the rest, or parked keys hold the position.
          if (waits++ < WAITS) {
            await clock.sleep(WAIT_MS);
            continue;
          }
          run.again(await run.nextLook());
          break;
        }
        // Otherwise the position would stay before events that the filter leaves out, until the
        // log has lost them.
        if (page.passes) await commitPage(deps, stream, subscription, page);
        if (isSettled) break;
        await settle?.();
        isSettled = true;
        continue;
      }
      const keeper = keepLeases(deps, { stream, subscription, consumer, page }, run.stop);
      const done = await run.sendPage(page, keeper.holds).finally(() => keeper.stop());
      if (!done) break;
      await commitPage(deps, stream, subscription, page);
      limit = nextPageSize(limit, clock.monotonic() - began);
    }
  } finally {
    await leases.leave(stream, subscription, consumer);
  }
  if (isRepeated) run.again(run.nextRetryAt());
  return run.result();
}

/** Commits a page, which is one of the log, or of the queues of retried keys. */
async function commitPage(
  deps: RunDeps,
  stream: LiveStream,
  name: string,
  { cursor, queues }: Poll,
): Promise<void> {
  if (queues === undefined) {
    await commit(deps, stream, name, cursor);
    return;
  }
  const { row } = await deps.subscriptions.recall(stream, name);
  await deps.subscriptions.commitQueues(stream, row, cursor, queues);
}

/** What one run knows. */
async function openRun(deps: RunDeps, stream: LiveStream, first: PushRow) {
  const { table, clock, random } = deps;
  const setAside = await loadSetAside(deps, stream, first);
  const secretsNow = signingSecrets(deps, first);
  const circuit = createCircuit(first.streak);
  let row: PushRow | undefined = first;
  let stopped = false;
  let isGone = false;
  let delivered = 0;
  let failed = 0;
  let againAt = Number.POSITIVE_INFINITY;

  /** If the endpoint was changed in the meantime, that change takes precedence. */
  const change = async (to: PushChange): Promise<void> => {
    row = row && (await table.pushes.change(row, to));
  };

  const disable = async (because: Exclude<Disabled, "asked">): Promise<void> => {
    if (row === undefined || row.disabled !== undefined) return;
    await change({ disabled: because, ...(await deps.noteDisabled(row, because)) });
  };

  async function send(event: StoredEvent, { failures, page, batch }: Sending): Promise<Sent> {
    if (stopped || circuit.isOpen()) return "held";
    const partition = chainOfEvent(stream, event);
    const id = deliveryId(lifeText(stream), partition, event);
    const { url, format, timeoutSeconds } = first;
    const streamName = bareName(stream.name);
    const timeoutMs = timeoutSeconds * 1_000;
    const secrets = await secretsNow();
    const answer = await deps.deliver({ id, url, format, timeoutMs, secrets, streamName, event });
    const verdict = judge(answer);
    if (verdict === "delivered") {
      delivered++;
      circuit.succeeded();
      setAside.accepted(event);
      return "done";
    }
    failed++;
    failures.push({ event, batch, id, answer });
    // A key that fails again says nothing new about the endpoint.
    if (verdict !== "failed" || !setAside.hasFailed(event)) circuit.failed(event.key, verdict);
    if (verdict === "gone") isGone = true;
    // No key of a snapshot can be set aside.
    return circuit.isOpen() || page.phase === "bootstrap" ? "held" : "key-waits";
  }

  /** Holds the position. A few events are tried from time to time. */
  async function suspend(failures: readonly Failed[], hasSuccess: boolean): Promise<void> {
    await setAside.record(failures);
    await setAside.flush();
    if (isGone) return disable("gone");
    if (row === undefined || row.disabled !== undefined) return;
    const draw = { nowMs: clock.now(), fraction: random.fraction() };
    // Whatever it has refused, it works as long as it accepts anything.
    const outage = outageAfter(hasSuccess ? undefined : row.outage, draw);
    if (outage === "over") return disable("failing");
    await change({ outage });
    againAt = Math.min(againAt, outage.probeAt);
  }

  /** Records that the endpoint works, or which keys it has refused since it last worked. */
  async function recordHealth(): Promise<void> {
    const streak = circuit.streak();
    const isKnown = streak.length === (row?.streak ?? []).length;
    if (row?.outage === undefined && isKnown) return;
    await change({ outage: null, streak });
  }

  return {
    /**
     * Returns whether the push is still as this run knows it. Any change of it has rung for another
     * run.
     */
    isCurrent: async (): Promise<boolean> =>
      row !== undefined && (await table.pushes.load(row))?.version === row.version,

    nextRetryAt: setAside.nextRetryAt,

    /** Returns when to look again for events that this worker may not have now. */
    nextLook: async (): Promise<number> => {
      const { row: settings } = await deps.subscriptions.recall(stream, first.subscription);
      return Math.min(clock.now() + leaseMsOf(settings.config), setAside.nextRetryAt());
    },

    releaseDue: () => (first.outage === undefined ? setAside.releaseDue() : undefined),

    /** Asks for another run. */
    again: (atMs: number) => {
      againAt = Math.min(againAt, atMs);
    },

    /** Ends the sending, because a different worker has the page. */
    stop: () => {
      stopped = true;
    },

    /**
     * Sends a page. Returns whether it may be committed. The results count only while the worker
     * holds the page: if it was paused, its successor may have had more success.
     */
    async sendPage(page: Poll, holds: () => Promise<boolean>): Promise<boolean> {
      const { keyPrefix = "" } = first;
      if (!page.events.every(({ key }) => key.startsWith(keyPrefix))) {
        await disable("outside-prefix");
        return false;
      }
      const failures: Failed[] = [];
      const before = delivered;
      const { concurrency } = first;
      const probeFrom = row?.outage === undefined ? undefined : random.fraction();
      const batches = new Map(page.events.map((event, at) => [event, page.batches?.[at] ?? 0]));
      const complete = await inKeyOrder(page.events, { concurrency, probeFrom }, (event) =>
        send(event, { failures, page, batch: batches.get(event) ?? 0 }),
      );
      if (stopped || (failures.length > 0 && !(await holds()))) return false;
      const isStillOut = row?.outage !== undefined && delivered === before && failures.length > 0;
      circuit.pageEnded();
      if (!complete || circuit.isOpen() || isStillOut) {
        await suspend(failures, delivered > before);
        return false;
      }
      await recordHealth();
      const parked = failures.length === 0 ? ALL_DONE : await setAside.park(failures, page);
      await setAside.flush();
      // Without room, the position is held until one of the parked keys is free.
      againAt = Math.min(againAt, parked.isRoom ? parked.retryAt : setAside.nextRetryAt());
      return parked.isRoom;
    },

    result: (): PushRun => ({
      delivered,
      failed,
      ...(Number.isFinite(againAt) ? { againAt } : {}),
    }),
  };
}
