import { type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { LedgerError } from "../../kernel/error.ts";
import type { Random } from "../../kernel/random.ts";
import { again, backOff, retry } from "../../kernel/retry.ts";
import { type Partitioned, startOfChain } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.ts";
import type { ClaimVerdict, ReceiptRow } from "../../table/receipt.entity.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import { notAnswered } from "./append-error.ts";
import type { AppendRequest } from "./append-plan.ts";
import {
  type ClaimRow,
  claimExpiry,
  endAfter,
  endsSoon,
  type Held,
  isClaim,
  isClaimed,
  isVoid,
  readClaim,
  rowsOfPage,
} from "./claim-plan.ts";
import { createEarlierClaims } from "./earlier-claims.ts";
import type { EndMemory } from "./end-memory.ts";
import { PUT_BACKOFF } from "./send.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly ends: EndMemory;
};

type Item = { readonly request: AppendRequest; readonly deadline: number };

/** The state of a group's claims before the group is written. */
export type Prepared<W> = {
  /**
   * These requests are done: an earlier request with the key settled it, with the same events or
   * different ones.
   */
  readonly settled: ReadonlyMap<W, ReceiptRow>;
  /** The requests whose claim the table did not confirm in time. They are not written. */
  readonly failed: ReadonlyMap<W, unknown>;
  /**
   * `ready`: the events of the other requests are not in the chain, and can only be added at its
   * end. `again`: the chain has grown, or a claim is undecided. `sealed`: the life has ended.
   * `turned`: the stream goes on in other partitions.
   */
  readonly state: "ready" | "again" | "sealed" | "turned";
};

/** Where the events of a group go: the end of a partition, in a view of the stream. */
type Place = { readonly view: Partitioned; readonly partition: number; readonly end: End };

/** This part of the deadline is reserved for recording the progress of a long search. */
const NOTE_MS = 500;
/** The progress of a search is recorded after this many batches, so that no search repeats them. */
const NOTE_BATCHES = 200;

/**
 * Settles the idempotency keys of requests that fit into one batch. This costs one extra put: first
 * the claim, if there is none yet, then the batch, which names the claim.
 *
 * Another process that knows the claim may have written the events of a claimed key, or may write
 * them at any moment. So before it writes them, a process reads every batch from the claim's own
 * place to the end of the chain. A chain grows only at its end, and its batches never change. Any
 * batch that the process has not read is therefore at this end or after it, and then the condition
 * of its own put fails.
 */
export function createClaims({ table, clock, random, ends }: Deps) {
  const held = new WeakMap<AppendRequest, Held>();
  const { searchEarlier, adopt, replacedBy } = createEarlierClaims({ table, clock });

  /** Returns the claim that a request must be written with. */
  const claimOf = (request: AppendRequest): ClaimRow | undefined => held.get(request)?.row;

  /**
   * Claims the keys of a one-partition group that need a claim, and finds those that other
   * processes have settled.
   */
  async function prepare<W extends Item>(
    life: Life,
    group: readonly W[],
    place: Place,
  ): Promise<Prepared<W>> {
    const { partition, end } = place;
    const settled = new Map<W, ReceiptRow>();
    const failed = new Map<W, unknown>();
    const done = { settled, failed };
    const wanted = group.filter(({ request }) => isClaimed(request));
    if (wanted.length === 0) return { ...done, state: "ready" };
    await Promise.all(
      wanted.map(async (item) => {
        if (held.has(item.request)) return;
        const claimed = await claim(life, item, place);
        if (claimed instanceof LedgerError) failed.set(item, claimed);
        else if (claimed !== undefined) settled.set(item, claimed);
      }),
    );
    const open = wanted.filter((item) => !settled.has(item));
    if (open.length === 0) return { ...done, state: "ready" };
    if (open.some(({ request }) => !held.has(request))) return { ...done, state: "again" };
    return { ...(await search(life, open, partition, end, settled)), failed };
  }

  /**
   * Writes a request's claim, or reads the existing one. Returns the row of a settled key, and
   * undefined otherwise. If no verdict arrives in time, the request has no claim. If the table is
   * the reason, it returns `store-unavailable`.
   */
  async function claim(
    life: Life,
    { request, deadline }: Item,
    { view, partition, end }: Place,
  ): Promise<ReceiptRow | LedgerError | undefined> {
    const { idempotency } = request;
    if (idempotency === undefined) return undefined;
    const claimId = random.bytes(16);
    const limits = {
      isOver: () => clock.monotonic() >= deadline,
      pause: backOff({ clock, random }, PUT_BACKOFF),
      giveUp: (cause: unknown) => (cause === undefined ? undefined : notAnswered(cause)),
    };
    return retry<ReceiptRow | LedgerError | undefined>(limits, async () => {
      const row = {
        ...idempotency,
        claimId,
        claimPartition: partition,
        claimFrom: end.next,
        parts: [],
        publishedAt: clock.now(),
        expiresAt: claimExpiry(clock.now()),
      };
      const verdict = await putClaim(life, row);
      if (verdict.kind === "unknown") return again(verdict.cause);
      const claimed = verdict.kind === "claimed" ? row : verdict.found;
      if (!isClaim(claimed) || claimed.requestHash !== idempotency.requestHash) return claimed;
      const settled = await searchEarlier(life, request, claimed, { view, partition });
      if (settled !== undefined) return settled;
      // An earlier copy of this same claim may have landed. Its place then applies to this one.
      const isHere = claimed.claimPartition === partition;
      const start = startOfChain(view, partition);
      const examinedTo = isHere ? Math.max(claimed.claimFrom, start) : start;
      held.set(request, { row: claimed, examinedTo });
      return undefined;
    });
  }

  /** Puts a claim if the key has no row, or over a void claim. */
  async function putClaim(life: Life, row: ClaimRow): Promise<ClaimVerdict> {
    const verdict = await table.receipts.claim(life, row);
    if (verdict.kind !== "held" || !isClaim(verdict.found)) return verdict;
    if (!isVoid(verdict.found, clock.now())) return verdict;
    return table.receipts.claim(life, row, verdict.found.claimId);
  }

  async function search<W extends Item>(
    life: Life,
    group: readonly W[],
    partition: number,
    end: End,
    settled: Map<W, ReceiptRow>,
  ): Promise<Omit<Prepared<W>, "failed">> {
    const until = Math.min(...group.map(({ deadline }) => deadline)) - NOTE_MS;
    let open = group;
    let at = Math.min(...group.map(({ request }) => held.get(request)?.examinedTo ?? 1));
    if (at > end.next) ends.forget(life, [partition]);
    let [examined, grown] = [0, false];
    for (let page = 0; at < end.next && open.length > 0; page++) {
      const stamp = takeStamp(clock);
      const { batches, more } = await table.batches.loadFrom(life, partition, at, rowsOfPage(page));
      const found = batches.flatMap((batch) => settledBy(partition, batch, open));
      for (const [item, row] of found) settled.set(item, row);
      open = open.filter((item) => !settled.has(item));
      examined += batches.length;
      const last = batches.at(-1);
      if (last?.kind === "seal") return { settled, state: "sealed" };
      if (last?.kind === "turn") return { settled, state: "turned" };
      at = more ? endAfter(last, at) : Math.max(endAfter(last, at), end.next);
      grown ||= last !== undefined && noteEnd(life, partition, last, end, stamp);
      for (const { request } of open) note(request, at);
      if (at < end.next && clock.monotonic() > until) break;
    }
    await Promise.all(open.map(({ request }) => keep(life, request, { partition, examined })));
    const ready = at === end.next && !grown && open.every(({ request }) => held.has(request));
    return { settled, state: ready ? "ready" : "again" };
  }

  /** Returns the requests whose claims a batch settles, with their receipts. */
  const settledBy = <W extends Item>(partition: number, batch: Batch, open: readonly W[]) =>
    open.flatMap((item): [W, ReceiptRow][] => {
      const row = held.get(item.request)?.row;
      const receipt = row && readClaim(partition, batch, row.claimId);
      return row === undefined || receipt === undefined ? [] : [[item, { ...row, ...receipt }]];
    });

  /** Records that a different batch took the place of these requests and settles none of them. */
  function passed(requests: readonly AppendRequest[], { first, count }: Batch): void {
    for (const request of requests) {
      if (held.get(request)?.examinedTo === first) note(request, first + count);
    }
  }

  function note(request: AppendRequest, examinedTo: number): void {
    const known = held.get(request);
    if (known !== undefined && known.examinedTo < examinedTo) {
      held.set(request, { ...known, examinedTo });
    }
  }

  /**
   * Extends a claim if necessary, and records the progress of a long search for the next search.
   */
  async function keep(
    life: Life,
    request: AppendRequest,
    { partition, examined }: { readonly partition: number; readonly examined: number },
  ): Promise<void> {
    const known = held.get(request);
    if (known === undefined) return;
    const soon = endsSoon(known.row, clock.now());
    if (!soon && examined < NOTE_BATCHES) return;
    const claimFrom = Math.max(known.row.claimFrom, known.examinedTo);
    const expiresAt = soon ? claimExpiry(clock.now()) : known.row.expiresAt;
    const to = { claimPartition: partition, claimFrom, expiresAt };
    const kept = await table.receipts.advance(life, known.row, to);
    if (kept) held.set(request, { ...known, row: { ...known.row, ...to } });
    else held.delete(request);
  }

  function noteEnd(life: Life, partition: number, last: Batch, end: End, stamp: Stamp): boolean {
    if (last.first + last.count <= end.next) return false;
    ends.seen(life, partition, last, stamp);
    return true;
  }

  return { claimOf, replacedBy, prepare, adopt, passed };
}

export type Claims = ReturnType<typeof createClaims>;
