import { LIMITS } from "@eventledger/protocol";
import { LedgerError } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { startOfChain, TurnReached } from "../../model/epochs.ts";
import type { ParkedKey } from "../../model/parking.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { Table } from "../../table/table.ts";
import { matcherOf } from "../filter.ts";
import { planFree } from "./parking-plan.ts";
import { queueRange } from "./queue.ts";

type Deps = { readonly table: Table; readonly log: Log };

/**
 * Frees the keys that waited only for a commit to pass their skipped event, after such a commit.
 * Keys with later waiting events continue as queues. The commit is already done, so the next poll
 * repeats a step that fails here. Returns the resulting row.
 */
export async function settlePassed(
  { table, log }: Deps,
  stream: LiveStream,
  { uid, config }: SubscriptionRow,
  row: OffsetRow,
): Promise<OffsetRow> {
  const passed = row.parking?.keys.filter((key) => isPassed(key, row)) ?? [];
  if (passed.length === 0) return row;
  try {
    const empty = await emptyOf(log, stream, row, { keys: passed, filter: config.filter });
    if (empty.length === 0) return row;
    const place = { life: stream.life, subscriptionUid: uid };
    return (await table.parking.change(place, row, planFree(row, empty))) ?? row;
  } catch (error) {
    if (error instanceof LedgerError || error instanceof TurnReached) return row;
    throw error;
  }
}

/**
 * Returns whether the committed offset has passed the skipped event of a key. Progress in a queue
 * moves both places together, so they differ only after a skip.
 */
const isPassed = ({ retrying, from, next }: ParkedKey, row: OffsetRow): boolean =>
  retrying && from < next && next <= row.next;

/**
 * Returns those of the given keys that have no events between their queue's beginning and the
 * committed offset.
 */
async function emptyOf(
  log: Log,
  stream: LiveStream,
  row: OffsetRow,
  { keys, filter }: { keys: readonly ParkedKey[]; filter: SubscriptionRow["config"]["filter"] },
): Promise<readonly ParkedKey[]> {
  const { partition, next } = row;
  const [first] = keys.toSorted((a, b) => a.next - b.next);
  if (first === undefined || first.next >= next) return keys;
  if (keys.length > 1 && first.next < startOfChain(stream, partition)) {
    // The queues begin in partitions of earlier epochs, each in its own.
    const each = keys.map((key) => emptyOf(log, stream, row, { keys: [key], filter }));
    return (await Promise.all(each)).flat();
  }
  const at = { batch: first.batch, next: first.next };
  const { positions, chains } = queueRange(stream, partition, first.key, at);
  const room = { events: LIMITS.filterEventsMax, bytes: LIMITS.pageBytesMax };
  const page = await log.read(stream.life, positions, {
    epochs: stream.epochs,
    room,
    nextPartition: 0,
    among: new Set(chains),
  });
  if ((page.runs[partition]?.position.next ?? 0) < next) return [];
  const matches = matcherOf(filter);
  return keys.filter((parked) =>
    page.entries.every(
      ({ event }) =>
        event.key !== parked.key ||
        event.sequence < parked.next ||
        event.sequence >= next ||
        matches?.(event) === false,
    ),
  );
}
