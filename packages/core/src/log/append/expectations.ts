import { type Clock, takeStamp } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import type { AppendRequest } from "./append-plan.ts";
import type { EndMemory } from "./end-memory.ts";
import { isAsExpected, type LastEvent, NO_EVENT, sequenceMismatch } from "./expectation-plan.ts";
import type { LastEvents } from "./last-events.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly ends: EndMemory;
  readonly lastEvents: LastEvents;
};

/** A request that waits, and when it came, in milliseconds of the monotonic clock. */
type Item = { readonly request: AppendRequest; readonly arrivedAt: number };

/** What becomes of the requests of a group before it is written; those not named may be. */
export type Judged<W> = {
  /** The ends at which everything that is expected of the others holds. */
  readonly ends: ReadonlyMap<number, End>;
  readonly refused: ReadonlyMap<W, unknown>;
  /** An earlier copy of the request has succeeded: whatever is expected now does not matter. */
  readonly settled: ReadonlyMap<W, ReceiptRow>;
};

/** Rivals who extend a chain faster than it can be read. */
const LOOKS_MAX = 5;

/**
 * Judges what requests expect of keys, at the ends where the group is about to be written: a chain
 * can only be extended at its end, so what holds there still holds when the group is written, or
 * nothing is written. A mismatch counts only at an end that was read after its request had come. An
 * idempotency key's verdict goes first. Undefined when the chains never stood still for long
 * enough.
 */
export async function judgeExpected<W extends Item>(
  deps: Deps,
  life: Life,
  group: readonly W[],
  known: ReadonlyMap<number, End>,
): Promise<Judged<W> | undefined> {
  const refused = new Map<W, unknown>();
  let ends = known;
  // What is remembered, or learned from a lost race, may not have been the end for some time.
  let seenAt = -Infinity;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const open = group.filter((item) => !refused.has(item));
    const { last, failed } = await loadLast(deps, life, open, ends);
    for (const item of open) {
      const failure = (item.request.expected ?? []).find((each) => failed.has(each.partition));
      if (failure !== undefined) refused.set(item, failed.get(failure.partition));
    }
    if (last !== undefined) {
      const wrong = open.filter((item) => !refused.has(item) && !holds(item, last));
      if (wrong.every(({ arrivedAt }) => arrivedAt <= seenAt)) {
        return { ends, ...(await conclude(deps, life, wrong, last, refused)) };
      }
    }
    seenAt = takeStamp(deps.clock).monotonicMs;
    ends = await deps.ends.load(life, known.keys(), { contested: true });
  }
  return undefined;
}

type Last = ReadonlyMap<string, LastEvent>;

const holds = ({ request }: Item, last: Last): boolean =>
  (request.expected ?? []).every((each) => isAsExpected(each, last.get(each.key) ?? NO_EVENT));

/**
 * The last events of all keys of which something is expected; `last` is undefined where a chain
 * grew.
 */
async function loadLast(
  { lastEvents }: Deps,
  life: Life,
  group: readonly Item[],
  ends: ReadonlyMap<number, End>,
): Promise<{ last: Last | undefined; failed: ReadonlyMap<number, unknown> }> {
  const keys = new Map<number, Set<string>>();
  for (const { request } of group) {
    for (const { partition, key } of request.expected ?? []) {
      keys.set(partition, (keys.get(partition) ?? new Set()).add(key));
    }
  }
  const failed = new Map<number, unknown>();
  const parts = await Promise.all(
    Array.from(keys, async ([partition, of]) => {
      try {
        return await lastEvents.load(life, partition, of, ends.get(partition)?.next ?? 1);
      } catch (error) {
        failed.set(partition, error);
        return new Map<string, LastEvent>();
      }
    }),
  );
  const last = new Map<string, LastEvent>();
  for (const part of parts) {
    if (part === undefined) return { last: undefined, failed };
    for (const [key, event] of part) last.set(key, event);
  }
  return { last, failed };
}

/**
 * Those that are wrong are refused, unless their idempotency key has a receipt. It is read after
 * the log: what an earlier copy has written there came with its receipt.
 */
async function conclude<W extends Item>(
  { table }: Deps,
  life: Life,
  wrong: readonly W[],
  last: Last,
  refused: Map<W, unknown>,
): Promise<Pick<Judged<W>, "refused" | "settled">> {
  const settled = new Map<W, ReceiptRow>();
  await Promise.all(
    wrong.map(async (item) => {
      const { expected = [], idempotency } = item.request;
      const found = expected.flatMap((expectation) => {
        const event = last.get(expectation.key) ?? NO_EVENT;
        return isAsExpected(expectation, event) ? [] : [{ expectation, last: event }];
      });
      try {
        const row = idempotency && (await table.receipts.load(life, idempotency.key));
        if (row === undefined) refused.set(item, sequenceMismatch(found));
        else settled.set(item, row);
      } catch (error) {
        refused.set(item, error);
      }
    }),
  );
  return { refused, settled };
}
