import { LIMITS } from "@eventledger/protocol";
import { type Clock, within } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import type { Random } from "../../kernel/random.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import { epochsOf, lastEpoch, TurnReached } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import { CLOCKS_APART_MS } from "../../model/sightings.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import { PHYSICAL_SLACK_MS } from "../guard.ts";
import { notAnswered, streamBusy } from "./append-error.ts";
import { type AppendPlan, planAppend } from "./append-plan.ts";
import { isClaimed } from "./claim-plan.ts";
import type { Claims } from "./claims.ts";
import type { EndMemory } from "./end-memory.ts";
import { judgeExpected } from "./expectations.ts";
import type { LastEvents } from "./last-events.ts";
import { packPartitions } from "./pack-partitions.ts";
import { type Sent, send } from "./send.ts";
import type { Line } from "./tickets.ts";
import {
  expire,
  latestView,
  partitionsOf,
  requestsOf,
  settle,
  settleByReceipt,
  type Waiting,
} from "./waiting.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly ends: EndMemory;
  readonly lastEvents: LastEvents;
  readonly claims: Claims;
  readonly onPut: () => void;
  readonly onVerdict: (tookMs: number) => void;
};

/** The result of one attempt. `live` are the requests that it has not settled. */
export type Attempt =
  /** Nothing was written. The remaining requests retry. */
  | { readonly kind: "unsent"; readonly live: readonly Waiting[] }
  | {
      readonly kind: "sent";
      readonly live: readonly Waiting[];
      readonly plan: AppendPlan;
      readonly verdict: Sent;
    };

type Ends = ReadonlyMap<number, End>;

/** The reads of an attempt take less than this unless the table does not answer. */
const SLOW_MS = 500;

/** The idempotency window must not end early when the clock of the receipt's writer is late. */
const RECEIPT_MS = LIMITS.idempotencyWindowHours * HOUR_MS + CLOCKS_APART_MS;

/**
 * Tries once to append a group at the current ends of its chains, in these steps:
 *
 * 1. look: use the remembered ends or read them
 * 2. settle requests whose expectations fail, or whose idempotency key is settled
 * 3. plan: pack the remaining requests and number them from the ends
 * 4. send the plan until its outcome is known
 *
 * Each step drops the requests whose deadline has passed. It ends the attempt if no request remains
 * or if the step must be repeated.
 */
export function createAttempt(deps: Deps) {
  const { table, clock, random, ends, lastEvents, claims } = deps;
  const dropOverdue = (live: readonly Waiting[], error = streamBusy) =>
    expire(live, clock.monotonic(), error);

  return async function attempt(
    group: readonly Waiting[],
    tickets: Line["tickets"],
  ): Promise<Attempt> {
    const [first] = group;
    if (first === undefined) return { kind: "unsent", live: [] };
    const { life } = first.target;
    const found = await loadEnds(life, group);
    const known = found === undefined ? undefined : await keepExpected(life, group, found);
    let live = dropOverdue(group);
    if (known === undefined || live.length === 0) return { kind: "unsent", live };
    const ready = await keepClaimed(life, live, known);
    live = dropOverdue(live);
    if (!ready || live.length === 0) return { kind: "unsent", live };
    const plan = lay(life, live, known, tickets);
    const stamps = Array.from(known.values(), ({ stamp }) => stamp);
    const verdict = await send(deps, plan, live, stamps);
    if (verdict !== "expired") return { kind: "sent", live, plan, verdict };
    ends.forget(life, known.keys());
    return { kind: "unsent", live };
  };

  /** Packs a group and numbers it from the ends of its chains. */
  function lay(
    life: Life,
    live: readonly Waiting[],
    known: Ends,
    tickets: Line["tickets"],
  ): AppendPlan {
    const requests = requestsOf(live);
    // Times never decrease for a key, from one epoch to the next either.
    const nowMs = Math.max(clock.now(), lastEpoch(latestView(live)).at);
    const retentionMs = (live[0]?.target.retentionHours ?? 0) * HOUR_MS;
    return planAppend({
      life,
      requests,
      packed: packPartitions(requests),
      ends: known,
      nowMs,
      keepMs: retentionMs + PHYSICAL_SLACK_MS,
      archived: live.some(({ target }) => (target.archiveDays ?? null) !== null),
      receiptExpiresAt: Math.ceil((nowMs + RECEIPT_MS) / 1_000),
      tickets,
      newBatchId: () => random.bytes(16),
      claims: requests.map(claims.claimOf),
      replaced: requests.map(claims.replacedBy),
    });
  }

  /**
   * Returns the ends to append at. A slow table may answer after the deadline of a request. Each
   * such request then fails at its deadline as not sent. Undefined when no request remains.
   */
  async function loadEnds(life: Life, group: readonly Waiting[]): Promise<Ends | undefined> {
    const partitions = partitionsOf(group);
    const remembered = ends.recall(life, partitions);
    if (remembered !== undefined) return remembered;
    return inTime(group, ends.load(life, partitions, { contested: false }));
  }

  /**
   * Returns the result of a read for the requests that can wait for it. The other requests fail. If
   * the read takes long, the table is the reason; otherwise lost races are. Returns undefined when
   * no request remains.
   */
  async function inTime<T>(group: readonly Waiting[], reading: Promise<T>): Promise<T | undefined> {
    const began = clock.monotonic();
    const overdue = () => (clock.monotonic() - began < SLOW_MS ? streamBusy() : notAnswered());
    let left = group.filter(({ settled }) => !settled);
    for (; left.length > 0; left = dropOverdue(left, overdue)) {
      const soonest = Math.min(...left.map(({ deadline }) => deadline));
      const read = await within(clock, soonest - clock.monotonic(), reading);
      if (read !== undefined) return read;
    }
    return undefined;
  }

  /**
   * Settles the requests of a group whose expectations fail. Returns the ends at which the other
   * expectations hold. Undefined when that cannot be decided now.
   */
  async function keepExpected(
    life: Life,
    group: readonly Waiting[],
    known: Ends,
  ): Promise<Ends | undefined> {
    if (group.every(({ request }) => request.expected === undefined)) return known;
    const judging = judgeExpected({ table, clock, ends, lastEvents }, life, group, known);
    const judged = await inTime(
      group,
      judging.then((done) => ({ done })),
    );
    for (const [item, error] of judged?.done?.refused ?? []) settle(item, () => item.reject(error));
    for (const [item, row] of judged?.done?.settled ?? []) settleByReceipt(item, row);
    return judged?.done?.ends;
  }

  /**
   * Settles the requests of a group whose idempotency key an earlier request has settled. Returns
   * false when the others cannot be written at these ends.
   */
  async function keepClaimed(life: Life, group: readonly Waiting[], known: Ends): Promise<boolean> {
    const [[partition, end] = []] = known;
    const view = latestView(group);
    if (!group.some(({ request }) => isClaimed(request))) {
      return epochsOf(view).length === 1 || adoptClaims(life, group);
    }
    if (partition === undefined || end === undefined) return false;
    const prepared = await inTime(group, claims.prepare(life, group, { view, partition, end }));
    for (const [item, row] of prepared?.settled ?? []) settleByReceipt(item, row);
    for (const [item, error] of prepared?.failed ?? []) settle(item, () => item.reject(error));
    if (prepared?.state === "sealed") throw streamNotFound();
    if (prepared?.state === "turned") throw new TurnReached();
    return prepared?.state === "ready";
  }

  /**
   * A key may have been claimed in an earlier epoch, where its request fitted into one batch. If no
   * batch there settles the claim, none ever will, and the receipt takes its place. Returns false
   * when that cannot be decided now.
   */
  async function adoptClaims(life: Life, group: readonly Waiting[]): Promise<boolean> {
    const keyed = group.filter(({ request }) => request.idempotency !== undefined);
    const adopting = Promise.all(
      keyed.map(async (item) => [item, await claims.adopt(life, item, item.target)] as const),
    );
    const adopted = await inTime(group, adopting);
    for (const [item, row] of adopted ?? []) settleByReceipt(item, row);
    return adopted !== undefined;
  }
}
