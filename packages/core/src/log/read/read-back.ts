import { LIMITS, type Tier } from "@eventledger/protocol";
import { chainsIn, type Epoch, epochsOf } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import { type Back, beginBack, fillBack } from "./back-chain.ts";
import { printedBytes } from "./page-cut.ts";
import type { Bound } from "./read-plan.ts";
import type { ReadDeps } from "./read-run.ts";

const PARTITIONS_AT_ONCE = 8;

export type BackRequest = {
  readonly limit: number;
  readonly matches: ((event: StoredEvent) => boolean) | undefined;
  readonly among: ReadonlySet<number> | undefined;
  /**
   * A backward read returns the events at or after this bound. It stops at the first older event.
   */
  readonly bound: Bound | undefined;
  /** The epochs of the stream, if it has several. */
  readonly epochs?: readonly Epoch[] | undefined;
  /** The maximum number of events to examine. */
  readonly lookedMax: number;
};

export type BackPage = {
  /** The newest event comes first. */
  readonly events: readonly StoredEvent[];
  /** The position before the oldest examined event, by partition. Unchanged if none was read. */
  readonly positions: readonly (Position | undefined)[];
  /** True when no older event is kept, or none is within the bound. */
  readonly caughtUp: boolean;
  readonly looked: number;
  /** `cold` when one of the examined events comes from the archive. */
  readonly tier: Tier;
};

/**
 * Reads backward from `positions`: the events before them, newest first, over all partitions by
 * publication time. Throws `stream-not-found`, and an InvariantError when a chain has a gap.
 */
export async function readBack(
  deps: ReadDeps,
  life: Life,
  positions: readonly (Position | undefined)[],
  request: BackRequest,
): Promise<BackPage> {
  const stream = { partitions: positions.length, epochs: request.epochs };
  const page: Growing = { events: [], looked: 0, lookedBytes: 0, pageBytes: 0, tier: "hot" };
  const reached = new Map<number, Position>();
  let caughtUp = true;
  // All events of an epoch are older than those of the next one.
  for (const epoch of epochsOf(stream).toReversed()) {
    const asked = chainsIn(epoch).filter((at) => request.among?.has(at) ?? true);
    const backs = await beginAll(deps, life, asked, { positions, request });
    await takeBack(deps, life, backs, { page, request });
    for (const { partition, position } of backs) reached.set(partition, position);
    caughtUp = backs.every(({ ready, ended }) => ended && ready.length === 0);
    if (!caughtUp) break;
  }
  const { events, looked, tier } = page;
  return {
    events,
    positions: positions.map((position, partition) => reached.get(partition) ?? position),
    caughtUp,
    looked,
    tier,
  };
}

/** A page during a backward read. */
type Growing = {
  readonly events: StoredEvent[];
  looked: number;
  lookedBytes: number;
  pageBytes: number;
  tier: Tier;
};

async function beginAll(
  deps: ReadDeps,
  life: Life,
  asked: readonly number[],
  {
    positions,
    request: { bound },
  }: {
    readonly positions: readonly (Position | undefined)[];
    readonly request: Pick<BackRequest, "bound">;
  },
): Promise<Back[]> {
  const backs: Back[] = [];
  for (let at = 0; at < asked.length; at += PARTITIONS_AT_ONCE) {
    const wave = asked.slice(at, at + PARTITIONS_AT_ONCE);
    backs.push(
      ...(await Promise.all(
        wave.map((partition) => beginBack(deps, life, partition, positions[partition], bound)),
      )),
    );
  }
  return backs;
}

/** Takes events of some partitions, the newest first, until the page is full or none is left. */
async function takeBack(
  deps: ReadDeps,
  life: Life,
  backs: readonly Back[],
  {
    page,
    request: { limit, matches, lookedMax, bound },
  }: { readonly page: Growing; readonly request: BackRequest },
): Promise<void> {
  while (page.events.length < limit && page.looked < lookedMax) {
    await fillAll(deps, life, backs, bound);
    const newest = backs.reduce<Back | undefined>(newerOf, undefined);
    const entry = newest?.ready[0];
    if (newest === undefined || entry === undefined) break;
    const bytes = printedBytes(entry.event);
    const wanted = matches === undefined || matches(entry.event);
    const isFull = wanted && page.events.length > 0 && page.pageBytes + bytes > LIMITS.pageBytesMax;
    const isLooked = page.looked > 0 && page.lookedBytes + bytes > LIMITS.scannedBytesMax;
    if (isFull || isLooked) break;
    newest.ready.shift();
    newest.position = { batch: entry.batch, next: entry.event.sequence };
    if (entry.cold) page.tier = "cold";
    page.looked++;
    page.lookedBytes += bytes;
    if (!wanted) continue;
    page.pageBytes += bytes;
    page.events.push(entry.event);
  }
}

/** Returns the partition whose next event was published later. */
function newerOf(newest: Back | undefined, back: Back): Back | undefined {
  const [entry] = back.ready;
  const [best] = newest?.ready ?? [];
  if (entry === undefined) return newest;
  return best === undefined || entry.event.publishedAt > best.event.publishedAt ? back : newest;
}

/** Reads more of those partitions that have no event at hand. */
async function fillAll(
  deps: ReadDeps,
  life: Life,
  backs: readonly Back[],
  bound: Bound | undefined,
): Promise<void> {
  const empty = backs.filter(({ ready, ended }) => ready.length === 0 && !ended);
  for (let at = 0; at < empty.length; at += PARTITIONS_AT_ONCE) {
    const wave = empty.slice(at, at + PARTITIONS_AT_ONCE);
    await Promise.all(wave.map((back) => fillBack(deps, life, back, bound)));
  }
}
