import { type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { fullJitterMs, type Random } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";
import type { Batch } from "../../table/batch.entity.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import type { AppendRequest } from "./append-plan.ts";
import {
  type ClaimRow,
  claimExpiry,
  endsSoon,
  type Held,
  isClaim,
  isClaimed,
  isVoid,
  readClaim,
} from "./claim-plan.ts";
import type { EndMemory } from "./end-memory.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly ends: EndMemory;
};

type Item = { readonly request: AppendRequest; readonly deadline: number };

/** What is known of the claims of a group before it is written. */
export type Prepared<W> = {
  /**
   * These are done: an earlier request with the key has settled it, by the same events or others.
   */
  readonly settled: ReadonlyMap<W, ReceiptRow>;
  /**
   * `ready`: the others' events are not in the chain, and cannot come to be but at its end.
   * `again`: the chain has grown, or a claim is undecided. `sealed`: the life has ended.
   */
  readonly state: "ready" | "again" | "sealed";
};

/** A receipt is found with the first; who was away for long reads on in larger pages. */
const PAGES = [2, 32, 512] as const;
const RETRY_BACKOFF = { baseMs: 20, capMs: 400 };
/** Is kept of a deadline, so that how far a long search got is noted in time. */
const NOTE_MS = 500;
/** A search that went on for so many batches is not begun from the same place again. */
const NOTE_BATCHES = 200;

/**
 * Settles the idempotency keys of requests that fit into one batch, with one put more than others
 * need: first the claim, where none is, then the batch, which names it. The events of a key that is
 * claimed already may be written by then, or be written at any moment by another process that knows
 * the claim. So a process reads every batch from the claim's own place to the end of the chain
 * before it writes them. A chain grows at its end alone and nothing in it changes: what is not
 * below the end is at the end or comes after it, and the end's own condition decides between all
 * who try.
 */
export function createClaims({ table, clock, random, ends }: Deps) {
  const held = new WeakMap<AppendRequest, Held>();

  /** The claim that a request is to be written with. */
  const claimOf = (request: AppendRequest): ClaimRow | undefined => held.get(request)?.row;

  /** Claims what a group of one lane needs claimed, and looks for what others have settled. */
  async function prepare<W extends Item>(
    life: Life,
    group: readonly W[],
    partition: number,
    end: End,
  ): Promise<Prepared<W>> {
    const settled = new Map<W, ReceiptRow>();
    const wanted = group.filter(({ request }) => isClaimed(request));
    if (wanted.length === 0) return { settled, state: "ready" };
    await Promise.all(
      wanted.map(async (item) => {
        if (held.has(item.request)) return;
        const row = await claim(life, item, partition, end.next);
        if (row !== undefined) settled.set(item, row);
      }),
    );
    const open = wanted.filter((item) => !settled.has(item));
    if (open.length === 0) return { settled, state: "ready" };
    if (open.some(({ request }) => !held.has(request))) return { settled, state: "again" };
    return search(life, open, partition, end, settled);
  }

  /**
   * Makes a request's claim, or learns of the one that is there. Gives the row of a key that is
   * settled, undefined otherwise; without a verdict in time the request holds no claim.
   */
  async function claim(
    life: Life,
    { request, deadline }: Item,
    partition: number,
    from: number,
  ): Promise<ReceiptRow | undefined> {
    const { idempotency } = request;
    if (idempotency === undefined) return undefined;
    const claimId = random.bytes(16);
    let over: Uint8Array | undefined;
    for (let tries = 0; clock.monotonic() < deadline; tries++) {
      const place = { claimId, claimPartition: partition, claimFrom: from };
      const row = {
        ...{ ...idempotency, ...place, parts: [], publishedAt: clock.now() },
        expiresAt: claimExpiry(clock.now()),
      };
      const verdict = await table.receipts.claim(life, row, over);
      if (verdict.kind === "claimed") {
        held.set(request, { row, examinedTo: from });
        return undefined;
      }
      if (verdict.kind === "unknown") {
        over = undefined;
        await clock.sleep(fullJitterMs(random, tries, RETRY_BACKOFF));
        continue;
      }
      const { found } = verdict;
      if (!isClaim(found)) return found;
      if (isVoid(found, clock.now())) {
        over = found.claimId;
        continue;
      }
      if (found.requestHash !== idempotency.requestHash) return found;
      // An earlier copy of this very claim may have landed: then its place is this one's.
      held.set(request, { row: found, examinedTo: found.claimFrom });
      return undefined;
    }
    return undefined;
  }

  async function search<W extends Item>(
    life: Life,
    group: readonly W[],
    partition: number,
    end: End,
    settled: Map<W, ReceiptRow>,
  ): Promise<Prepared<W>> {
    const until = Math.min(...group.map(({ deadline }) => deadline)) - NOTE_MS;
    let open = group;
    let at = Math.min(...group.map(({ request }) => held.get(request)?.examinedTo ?? 1));
    if (at > end.next) ends.forget(life, [partition]);
    let [examined, grown] = [0, false];
    for (let page = 0; at < end.next && open.length > 0; page++) {
      const stamp = takeStamp(clock);
      const { batches, more } = await table.batches.loadFrom(life, partition, at, sizeOf(page));
      for (const batch of batches) {
        for (const [item, row] of settledBy(partition, batch, open)) settled.set(item, row);
      }
      open = open.filter((item) => !settled.has(item));
      examined += batches.length;
      const last = batches.at(-1);
      if (last?.kind === "seal") return { settled, state: "sealed" };
      at = more ? endAfter(last, at) : Math.max(endAfter(last, at), end.next);
      grown ||= last !== undefined && noteEnd(life, partition, last, end, stamp);
      for (const { request } of open) note(request, at);
      if (at < end.next && clock.monotonic() > until) break;
    }
    await Promise.all(open.map(({ request }) => keep(life, request, examined)));
    const ready = at === end.next && !grown && open.every(({ request }) => held.has(request));
    return { settled, state: ready ? "ready" : "again" };
  }

  /** The requests whose claims a batch settles, and their receipts. */
  const settledBy = <W extends Item>(partition: number, batch: Batch, open: readonly W[]) =>
    open.flatMap((item): [W, ReceiptRow][] => {
      const row = held.get(item.request)?.row;
      const receipt = row && readClaim(partition, batch, row.claimId);
      return row === undefined || receipt === undefined ? [] : [[item, { ...row, ...receipt }]];
    });

  /** Another's batch was at the place where these wanted to go, and settles none of them. */
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

  /** Lets a claim last long enough, and keeps how far a long search got, for the next search. */
  async function keep(life: Life, request: AppendRequest, examined: number): Promise<void> {
    const known = held.get(request);
    if (known === undefined) return;
    const soon = endsSoon(known.row, clock.now());
    if (!soon && examined < NOTE_BATCHES) return;
    const claimFrom = Math.max(known.row.claimFrom, known.examinedTo);
    const expiresAt = soon ? claimExpiry(clock.now()) : known.row.expiresAt;
    const kept = await table.receipts.advance(life, known.row, { claimFrom, expiresAt });
    if (kept) held.set(request, { ...known, row: { ...known.row, claimFrom, expiresAt } });
    else held.delete(request);
  }

  function noteEnd(life: Life, partition: number, last: Batch, end: End, stamp: Stamp): boolean {
    if (last.first + last.count <= end.next) return false;
    ends.seen(life, partition, last, stamp);
    return true;
  }

  return { claimOf, prepare, passed };
}

export type Claims = ReturnType<typeof createClaims>;

const sizeOf = (page: number): number => PAGES[Math.min(page, PAGES.length - 1)] ?? 1;

const endAfter = (last: Batch | undefined, at: number): number =>
  last === undefined ? at : last.first + Math.max(1, last.count);
