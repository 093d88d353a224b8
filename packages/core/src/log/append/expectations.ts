import { type Clock, takeStamp } from "../../kernel/clock.ts";
import { again, retry } from "../../kernel/retry.ts";
import type { Partitioned } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { ReceiptRow } from "../../table/receipt.entity.ts";
import type { Table } from "../../table/table.ts";
import type { End } from "../end.ts";
import type { AppendRequest } from "./append-plan.ts";
import type { EndMemory } from "./end-memory.ts";
import { isAsExpected, type LastEvent, NO_EVENT, sequenceMismatch } from "./expectation-plan.ts";
import type { LastEvents } from "./last-events.ts";
import { latestView } from "./waiting.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly ends: EndMemory;
  readonly lastEvents: LastEvents;
};

/** A waiting request and its arrival time, in milliseconds of the monotonic clock. */
type Item = {
  readonly request: AppendRequest;
  readonly arrivedAt: number;
  readonly target?: Partitioned;
};

/**
 * The decision about each request of a group before it is written. Requests not named may be
 * written.
 */
export type Judged<W> = {
  /** The ends at which every expectation of the other requests holds. */
  readonly ends: ReadonlyMap<number, End>;
  readonly refused: ReadonlyMap<W, unknown>;
  /** An earlier copy of the request has succeeded, so its expectations no longer matter. */
  readonly settled: ReadonlyMap<W, ReceiptRow>;
};

/**
 * The number of looks before it gives up because other writers extend a chain faster than it reads.
 */
const LOOKS_MAX = 5;

/**
 * Judges the expectations of requests at the ends where the group will be written. A chain can be
 * extended only at its end, so an expectation that holds there still holds when the group is
 * written, or nothing is written. A mismatch counts only at an end that was read after the request
 * arrived. The verdict of an idempotency key comes first. Undefined when the chains kept changing.
 */
export async function judgeExpected<W extends Item>(
  deps: Deps,
  life: Life,
  group: readonly W[],
  known: ReadonlyMap<number, End>,
): Promise<Judged<W> | undefined> {
  const refused = new Map<W, unknown>();
  let ends = known;
  // A remembered end, or one learnt from a lost race, may have been outdated for some time.
  let seenAt = -Infinity;
  const limits = { tries: LOOKS_MAX, giveUp: () => undefined };
  return retry<Judged<W> | undefined>(limits, async () => {
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
    return again();
  });
}

type Last = ReadonlyMap<string, LastEvent>;

const holds = ({ request }: Item, last: Last): boolean =>
  (request.expected ?? []).every((each) => isAsExpected(each, last.get(each.key) ?? NO_EVENT));

/** Returns the last events of all keys with expectations. `last` is undefined if a chain grew. */
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
  const view = latestView(group);
  const parts = await Promise.all(
    Array.from(keys, async ([partition, of]) => {
      try {
        const { next = 1 } = ends.get(partition) ?? {};
        return await lastEvents.load(life, partition, of, next, view);
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
 * Refuses the requests whose expectations fail, unless their idempotency key has a receipt. The
 * receipt is read after the log: an earlier copy wrote its events together with its receipt.
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
