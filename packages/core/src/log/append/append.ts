import { LIMITS } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp, takeStamp, within } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { fullJitterMs, type Random } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";
import { CLOCKS_APART_MS, type Sightings } from "../../model/sightings.ts";
import type { AppendVerdict } from "../../table/append-rows.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import { PHYSICAL_SLACK_MS } from "../guard.ts";
import { outcomeUnknown, streamBusy, tooManyRequests } from "./append-error.ts";
import {
  type AppendPlan,
  type AppendRequest,
  planAppend,
  planGroups,
  planJoiners,
  readCancelled,
  resourcesOf,
} from "./append-plan.ts";
import { isClaimed } from "./claim-plan.ts";
import { createClaims } from "./claims.ts";
import { afterLoss, afterWin, type Beat, pauseMs, type Rivalry } from "./contention.ts";
import { createEndMemory, MEMORY_MS } from "./end-memory.ts";
import { judgeExpected } from "./expectations.ts";
import { createLastEvents } from "./last-events.ts";
import { packLanes } from "./pack-lanes.ts";
import {
  type Appended,
  type AppendTarget,
  expire,
  partitionsOf,
  requestsOf,
  settle,
  settleByReceipt,
  type Waiting,
} from "./waiting.ts";

export type AppenderDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly sightings?: Sightings | undefined;
  /** Off: every request is appended by itself, as if each had a process of its own. For measuring only. */
  readonly groupCommit?: boolean;
  /** How many requests may wait before others are refused: 10,000 unless it is said. */
  readonly waitingMax?: number;
  readonly observeAppend?: ObserveAppend;
};

/**
 * Told of the steps of appends: `AppendPuts` for each sending, `Appends` when one has landed,
 * `AppendConflicts` when another writer was faster and it begins anew. Must not throw.
 */
export type ObserveAppend = (step: "AppendPuts" | "Appends" | "AppendConflicts") => void;

const DEADLINE_MS = 5_000;
/** The window must not end sooner where the clock of who wrote the receipt is late. */
const RECEIPT_MS = LIMITS.idempotencyWindowHours * 3_600_000 + CLOCKS_APART_MS;
const RETRY_BACKOFF = { baseMs: 20, capMs: 400 };
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const WAITING_MAX = 10_000;
const RIVALRIES_MAX = 10_000;
/** What a put is taken to last at first, and the share of each new one in the running mean. */
const PUT_FIRST_MS = 6;
const PUT_MIN_MS = 1;
const PUT_SHARE = 0.1;

const HOUR_MS = 3_600_000;
const LANDED = { kind: "landed" } as const;

/** Nobody who waits could start now: each wants something busy, or something that one before wants. */
type Queue = { waiting: Waiting[]; readonly busy: Set<string> };

/**
 * Extends the chains of partitions. One append is in flight per partition and process; requests that
 * arrive meanwhile wait and go together in the next batch. `append` resolves once the events are
 * durable, or throws:
 * `stream-not-found` (the life has ended), `stream-busy` (not written, and never will be by this
 * request), `outcome-unknown` (perhaps written), `sequence-mismatch` (not written: a key is not as the
 * request expects), `compaction-lagging` (not written: that cannot be told), `idempotency-key-reused`,
 * `too-many-requests`, `request-too-large`, `compaction-stalled` and `numbering-at-risk`.
 */
export function createAppender(deps: AppenderDeps) {
  const { clock, table, random, waitingMax = WAITING_MAX } = deps;
  const queues = new Map<Life, Queue>();
  const ends = createEndMemory(deps);
  const lastEvents = createLastEvents(deps);
  const claims = createClaims({ table, clock, random, ends });
  const rivalries = new Map<string, Rivalry>();
  let waitingBytes = 0;
  let waitingCount = 0;
  let putMs = PUT_FIRST_MS;
  const beat = (): Beat => ({ nowMs: clock.monotonic(), putMs });

  const timePut = (tookMs: number): void => {
    putMs = Math.max(PUT_MIN_MS, putMs + (tookMs - putMs) * PUT_SHARE);
  };

  async function append(target: AppendTarget, request: AppendRequest): Promise<Appended> {
    if (waitingCount >= waitingMax || waitingBytes + request.bytes > WAITING_BYTES_MAX) {
      throw tooManyRequests();
    }
    const queue = queueOf(target.life);
    return new Promise((resolve, reject) => {
      waitingCount++;
      waitingBytes += request.bytes;
      const arrivedAt = clock.monotonic();
      const deadline = arrivedAt + DEADLINE_MS;
      queue.waiting.push({ request, target, arrivedAt, deadline, settled: false, resolve, reject });
      const mustWait = resourcesOf(request).some((resource) => queue.busy.has(resource));
      if (!mustWait) startGroups(target.life, queue);
    });
  }

  function queueOf(life: Life): Queue {
    const known = deps.groupCommit === false ? undefined : queues.get(life);
    const queue = known ?? { waiting: [], busy: new Set() };
    queues.set(life, queue);
    return queue;
  }

  function startGroups(life: Life, queue: Queue): void {
    const overdue = queue.waiting.filter(({ deadline }) => deadline <= clock.monotonic());
    take(queue, overdue);
    expire(overdue, clock.monotonic(), streamBusy);
    for (const group of planGroups(queue.waiting, queue.busy)) {
      const resources = group.flatMap(({ request }) => resourcesOf(request));
      for (const resource of resources) queue.busy.add(resource);
      take(queue, group);
      void runGroup(group, queue, resources).finally(() => {
        for (const resource of resources) queue.busy.delete(resource);
        startGroups(life, queue);
        if (queue.waiting.length === 0 && queue.busy.size === 0) queues.delete(life);
      });
    }
  }

  function take(queue: Queue, group: readonly Waiting[]): void {
    if (group.length === 0) return;
    const taken = new Set(group);
    queue.waiting = queue.waiting.filter((item) => !taken.has(item));
    for (const { request } of group) {
      waitingCount--;
      waitingBytes -= request.bytes;
    }
  }

  /** Never rejects: whatever goes wrong is told to those who wait. */
  async function runGroup(group: Waiting[], queue: Queue, resources: string[]): Promise<void> {
    let live = group;
    try {
      for (let attempt = 0; live.length > 0; attempt++) {
        // A race lost once is tried again at once: the winner's batch has shown where the end is.
        const contested = attempt !== 1 && (await yieldToRivals(live));
        live = expire(live, clock.monotonic(), streamBusy);
        if (attempt > 0 || contested) joinWaiting(live, queue, resources);
        if (live.length > 0) live = await tryGroup(live, contested);
      }
    } catch (error) {
      for (const item of live) settle(item, () => item.reject(error));
    }
  }

  /** Gives others their turn on partitions where races were lost lately. False where none were. */
  async function yieldToRivals(group: readonly Waiting[]): Promise<boolean> {
    const [first] = group;
    if (first === undefined) return false;
    const waitedMs = clock.monotonic() - first.arrivedAt;
    const pauses = Array.from(partitionsOf(group), (partition) =>
      pauseMs(rivalries.get(`${first.target.life}#${partition}`), beat(), waitedMs, random),
    );
    const longestMs = Math.max(...pauses);
    if (longestMs > 0) await clock.sleep(longestMs);
    return longestMs > 0;
  }

  /** While a group starts over anyway, those who came meanwhile may as well come along. */
  function joinWaiting(live: Waiting[], queue: Queue, resources: string[]): void {
    if (live.length === 0) return;
    const joiners = planJoiners(live, queue.waiting, queue.busy);
    take(queue, joiners);
    for (const item of joiners) {
      const others = resourcesOf(item.request).slice(1);
      for (const resource of others) queue.busy.add(resource);
      resources.push(...others);
      live.push(item);
    }
  }

  /** One attempt at the present ends. Returns those that have to try again. */
  async function tryGroup(group: Waiting[], contested: boolean): Promise<Waiting[]> {
    const [first] = group;
    if (first === undefined) return [];
    const { life, retentionHours } = first.target;
    const found = await loadEnds(life, group, contested);
    const known = found === undefined ? undefined : await keepExpected(life, group, found);
    let live = expire(group, clock.monotonic(), streamBusy);
    if (known === undefined || live.length === 0) return live;
    const ready = await keepClaimed(life, live, known);
    live = expire(live, clock.monotonic(), streamBusy);
    if (!ready || live.length === 0) return live;
    const requests = requestsOf(live);
    const lanes = packLanes(requests);
    const nowMs = clock.now();
    const plan = planAppend({
      life,
      requests,
      lanes,
      ends: known,
      nowMs,
      keepMs: retentionHours * HOUR_MS + PHYSICAL_SLACK_MS,
      receiptExpiresAt: Math.ceil((nowMs + RECEIPT_MS) / 1_000),
      newBatchId: () => random.bytes(16),
      claims: requests.map(claims.claimOf),
    });
    const verdict = await decide(plan, live, [...known.values()]);
    if (verdict !== "expired") return conclude(verdict, plan, live);
    ends.forget(life, known.keys());
    return live;
  }

  /**
   * The ends to append at. A table that falters may take longer to tell than anybody waits: each is
   * told in time that nothing was sent. Undefined when nobody is left.
   */
  async function loadEnds(
    life: Life,
    group: readonly Waiting[],
    contested: boolean,
  ): Promise<ReadonlyMap<number, End> | undefined> {
    const partitions = partitionsOf(group);
    const remembered = contested ? undefined : ends.recall(life, partitions);
    if (remembered !== undefined) return remembered;
    return inTime(group, ends.load(life, partitions, { contested }));
  }

  /** What a read comes to, for those who can wait for it; undefined when nobody is left. */
  async function inTime<T>(group: readonly Waiting[], reading: Promise<T>): Promise<T | undefined> {
    let left = group.filter(({ settled }) => !settled);
    for (; left.length > 0; left = expire(left, clock.monotonic(), streamBusy)) {
      const soonest = Math.min(...left.map(({ deadline }) => deadline));
      const read = await within(clock, soonest - clock.monotonic(), reading);
      if (read !== undefined) return read;
    }
    return undefined;
  }

  /**
   * Settles those of a group that expect of a key what is not so. Gives the ends at which what the
   * others expect holds; undefined when that cannot be told now.
   */
  async function keepExpected(
    life: Life,
    group: readonly Waiting[],
    known: ReadonlyMap<number, End>,
  ): Promise<ReadonlyMap<number, End> | undefined> {
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
   * Settles those of a group whose idempotency key an earlier request has settled. False when the others
   * cannot be written at these ends.
   */
  async function keepClaimed(
    life: Life,
    group: readonly Waiting[],
    known: ReadonlyMap<number, End>,
  ): Promise<boolean> {
    const [[partition, end] = []] = known;
    if (!group.some(({ request }) => isClaimed(request))) return true;
    if (partition === undefined || end === undefined) return false;
    const prepared = await inTime(group, claims.prepare(life, group, partition, end));
    for (const [item, row] of prepared?.settled ?? []) settleByReceipt(item, row);
    if (prepared?.state === "sealed") throw streamNotFound();
    return prepared?.state === "ready";
  }

  /**
   * Sends a plan until its fate is known: the same content at the same keys, because a second key
   * while the first is undecided is how duplicates are made. What was read over a minute ago decides
   * nothing: a process that was frozen may be writing into the past.
   */
  async function decide(
    plan: AppendPlan,
    live: readonly Waiting[],
    known: readonly End[],
  ): Promise<(AppendVerdict & { stamp: Stamp }) | "expired"> {
    const isOld = (of: readonly { stamp: Stamp }[]) =>
      of.some(({ stamp }) => ageMs(clock, stamp) > MEMORY_MS);
    const targets = live.map(({ target }) => target);
    let cause: unknown;
    for (let sent = 0; ; sent++) {
      const stamp = takeStamp(clock);
      if (sent === 0 && isOld(targets)) throw streamBusy();
      if (sent === 0 && isOld(known)) return "expired";
      if (isOld(targets) || isOld(known)) return { kind: "unknown", cause, stamp };
      deps.observeAppend?.("AppendPuts");
      const verdict = await table.append.put(plan.append).catch((error: unknown) => {
        // A refusal speaks of this copy only; one sent before may have been written.
        if (sent === 0) throw error;
        return { kind: "unknown", cause: error } as const;
      });
      const old = isOld(targets) || isOld(known);
      if (verdict.kind !== "unknown") timePut(clock.monotonic() - stamp.monotonicMs);
      if (verdict.kind !== "unknown" && !old) return { ...verdict, stamp };
      if (verdict.kind === "unknown") cause = verdict.cause;
      const left = expire(live, clock.monotonic(), () => outcomeUnknown(cause));
      if (left.length === 0 || old) return { kind: "unknown", cause, stamp };
      await clock.sleep(fullJitterMs(random, sent, RETRY_BACKOFF));
    }
  }

  function conclude(
    verdict: AppendVerdict & { stamp: Stamp },
    plan: AppendPlan,
    live: Waiting[],
  ): Waiting[] {
    const { life } = plan.append;
    if (verdict.kind === "unknown") {
      ends.forget(life, plan.ends.keys());
      for (const item of live) settle(item, () => item.reject(outcomeUnknown(verdict.cause)));
      return [];
    }
    const reading = verdict.kind === "written" ? LANDED : readCancelled(plan, verdict);
    switch (reading.kind) {
      case "landed":
        deps.observeAppend?.("Appends");
        ends.written(life, plan, verdict.stamp);
        lastEvents.written(plan, requestsOf(live), verdict.stamp);
        for (const partition of plan.ends.keys()) rate(life, partition, afterWin);
        live.forEach((item, index) => {
          const receipt = plan.receipts[index];
          if (receipt) settle(item, () => item.resolve({ receipt, replayed: false }));
        });
        break;
      case "settled":
        for (const item of live) {
          settleByReceipt(item, reading.rows.get(item.request.idempotency?.key ?? ""));
        }
        if (showsRival(verdict)) concede(plan, verdict, live);
        break;
      case "sealed":
        for (const item of live) settle(item, () => item.reject(streamNotFound()));
        break;
      case "lost":
        deps.observeAppend?.("AppendConflicts");
        concede(plan, verdict, live);
    }
    return live.filter(({ settled }) => !settled);
  }

  /** Others were faster: learns from their batches, and to give way. */
  function concede(
    plan: AppendPlan,
    verdict: AppendVerdict & { stamp: Stamp },
    live: readonly Waiting[],
  ): void {
    const { life } = plan.append;
    const found = verdict.kind === "cancelled" ? verdict.batches : [];
    for (const batch of found) if (batch !== undefined) claims.passed(requestsOf(live), batch);
    const lost = ends.lost(life, plan, found, verdict.stamp);
    if (lost.size === 0) ends.forget(life, plan.ends.keys());
    for (const partition of lost) rate(life, partition, afterLoss);
  }

  function rate(life: Life, partition: number, change: typeof afterWin): void {
    const name = `${life}#${partition}`;
    const rivalry = change(rivalries.get(name), beat());
    rivalries.delete(name);
    if (rivalry !== undefined) rivalries.set(name, rivalry);
    const [oldest] = rivalries.keys();
    if (rivalries.size > RIVALRIES_MAX && oldest !== undefined) rivalries.delete(oldest);
  }

  /** What was remembered of a life's chains holds no more. */
  function forget(life: Life, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      ends.forget(life, [partition]);
      lastEvents.forget(life, partition);
    }
  }

  return { append, forget };
}

/** Whether another's batch stood where this one wanted to go. */
const showsRival = (verdict: AppendVerdict): boolean =>
  verdict.kind === "cancelled" && verdict.batches.some((batch) => batch !== undefined);
