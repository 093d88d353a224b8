import type { Clock } from "../../kernel/clock.ts";
import { LedgerError } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { again, retry } from "../../kernel/retry.ts";
import { chainCount, chainsOf, startOfChain, TurnReached } from "../../model/epochs.ts";
import { edgeAt } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { Table } from "../../table/table.ts";
import { leaseMsOf, type UntilMemory } from "../workers/until-memory.ts";
import { isInSnapshot } from "./progress.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly untils: UntilMemory };

const TRIES = 10;
const PAUSE_MS = 20;

/**
 * Returns the current offsets of a subscription. Undefined when they are gone. A query is not
 * atomic. It may return only some of the rows that a seek or the end of a snapshot
 * writes together. In that case the query is repeated. The first call in an epoch adds the
 * positions of its partitions. Throws `TurnReached` when there are positions of an epoch that the
 * view of the stream lacks.
 */
export async function loadOffsets(
  { table, clock, untils }: Deps,
  stream: LiveStream,
  { uid, name, config }: SubscriptionRow,
): Promise<readonly OffsetRow[] | undefined> {
  const holders = { uid, leaseMs: leaseMsOf(config) };
  const pause = () => clock.sleep(PAUSE_MS);
  const limits = { tries: TRIES, pause, giveUp: movedByOthers };
  return retry<readonly OffsetRow[] | undefined>(limits, async (attempt) => {
    const look = untils.look();
    const offsets = await table.subscriptions.loadOffsets(stream.life, uid);
    const [first] = offsets;
    const count = chainCount(stream);
    if (offsets.length > count) throw new TurnReached();
    if (first === undefined) return undefined;
    if (offsets.length < count) {
      // Without a later epoch, the rows are being removed.
      if (stream.epochs === undefined) return undefined;
      const added = chainsOf(stream).slice(offsets.length);
      const places = added.map((partition) => ({
        partition,
        ...edgeAt(startOfChain(stream, partition)),
      }));
      await table.lifecycle.addOffsets(stream.life, uid, first, places);
      return again();
    }
    if (areOfOneMoment(offsets)) {
      untils.seeLeases(holders, look, offsets);
      return offsets;
    }
    const moving = offsets.some((row) => row.generation !== first.generation);
    assertInvariant(moving || attempt < TRIES / 2, `${name} has a committed offset`);
    return again();
  });
}

/**
 * Returns whether all rows are of the same seek, and of the same side of the end of a snapshot.
 * Other rows were read while they were written.
 */
function areOfOneMoment(offsets: readonly OffsetRow[]): boolean {
  const [first] = offsets;
  return offsets.every(
    (row) =>
      row.generation === first?.generation && (isInSnapshot(first.bootstrap) || row.next > 0),
  );
}

/**
 * Returns the current offsets of several subscriptions, in their order, in few requests. Undefined
 * where `loadOffsets` has to look itself.
 */
export async function loadManyOffsets(
  { table, untils }: Deps,
  stream: LiveStream,
  rows: readonly SubscriptionRow[],
): Promise<(readonly OffsetRow[] | undefined)[]> {
  const look = untils.look();
  const uids = rows.map(({ uid }) => uid);
  const loaded = await table.subscriptions.loadOffsetsOf(stream.life, uids, chainsOf(stream));
  return rows.map(({ uid, config }, index) => {
    const offsets = loaded[index] ?? [];
    if (offsets.length !== chainCount(stream) || !areOfOneMoment(offsets)) return undefined;
    untils.seeLeases({ uid, leaseMs: leaseMsOf(config) }, look, offsets);
    return offsets;
  });
}

function movedByOthers(): never {
  throw new LedgerError("store-unavailable", {
    detail: "Concurrent requests keep moving this subscription. Try again shortly.",
    retryAfterSeconds: 1,
  });
}
