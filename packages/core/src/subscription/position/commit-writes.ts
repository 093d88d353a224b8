import type { RedeliveryReason } from "@eventledger/protocol";
import type { CursorContent } from "../../cursor/cursor.ts";
import type { Clock } from "../../kernel/clock.ts";
import { subscriptionNotFound } from "../../kernel/error.ts";
import type { Look } from "../../kernel/memory.ts";
import type { Log } from "../../log/log.ts";
import { chainsIn, epochsOf, isDrained, isInEpoch } from "../../model/epochs.ts";
import { type Bootstrap, isExact, isPending } from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import { type LeaseGuard, type OffsetRow, passesGuard } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { Table } from "../../table/table.ts";
import { settlePassed } from "../parking/settle.ts";
import type { Redelivery, SubscriptionState } from "../state.ts";
import type { UntilMemory } from "../workers/until-memory.ts";
import { assertHeld, assertLeased, createGuards } from "./commit-lease.ts";
import { createQueueCommits } from "./commit-queues.ts";
import { isInSnapshot, type Progress } from "./progress.ts";

type Deps = {
  readonly table: Table;
  readonly log: Log;
  readonly clock: Clock;
  readonly untils: UntilMemory;
  readonly look: () => Look;
  readonly refresh: (stream: LiveStream, state: SubscriptionState) => Promise<SubscriptionState>;
  readonly remember: (
    stream: LiveStream,
    row: SubscriptionRow,
    look: Look,
    offsets: readonly OffsetRow[],
  ) => SubscriptionState;
  readonly replace: (
    stream: LiveStream,
    state: SubscriptionState,
    replacement: Replacement,
  ) => Promise<SubscriptionState | undefined>;
};

/** A move of all positions at once. `end` is the place and the worker at a snapshot's end. */
export type Replacement = {
  readonly to: Progress;
  readonly generation: number;
  readonly end?: { readonly scan: string; readonly guard: LeaseGuard };
};

/** The effect of a commit, and the part of its cursor that is void. */
type CommitResult = {
  readonly moved: boolean;
  readonly state: SubscriptionState;
  readonly redelivery?: Redelivery;
};

const OTHER_SNAPSHOT: Redelivery = { part: "all", because: ["other-snapshot"] };

/**
 * Moves committed offsets forward: in a snapshot, at its end, in the log, and in a parked queue.
 */
export function createCommits({ table, log, clock, untils, ...memory }: Deps) {
  const { look: beginLook, refresh, remember, replace } = memory;
  const guardOf = createGuards({ clock, untils });
  const { commitQueue, commitQueues } = createQueueCommits({ table, guardOf });

  /**
   * Moves the committed progress forward, never back. Returns whether anything moved, and the state
   * afterwards, which has a new generation if there was a seek in the meantime. Throws `lease-lost`
   * when a worker commits a share that a different worker has taken over. By then, the offsets of
   * its remaining share have moved.
   */
  async function commit(
    stream: LiveStream,
    state: SubscriptionState,
    cursor: CursorContent,
  ): Promise<CommitResult> {
    if (!isInSnapshot(state.bootstrap)) {
      if (isInSnapshot(cursor.bootstrap)) return { moved: false, state };
      return commitPositions(stream, state, cursor);
    }
    if (isInSnapshot(cursor.bootstrap)) {
      if (isPending(cursor.bootstrap)) return { moved: false, state };
      const { row, generation } = state;
      const guard = guardOf(cursor, row, 0);
      const result = await table.subscriptions.commitScan(
        stream.life,
        row.uid,
        generation,
        cursor.bootstrap,
        guard,
      );
      if (result === undefined) throw subscriptionNotFound();
      assertLeased(passesGuard(result.row, guard), cursor);
      const present = result.row.bootstrap;
      const isVoid = isInSnapshot(present) && present.run !== cursor.bootstrap.run;
      const redelivery = isVoid && !result.moved ? { redelivery: OTHER_SNAPSHOT } : {};
      return { moved: result.moved, state: await refresh(stream, state), ...redelivery };
    }
    return commitSnapshotEnd(stream, state, state.bootstrap, cursor);
  }

  /** Moves from a snapshot into the log, all partitions at once. */
  async function commitSnapshotEnd(
    stream: LiveStream,
    state: SubscriptionState,
    present: Bootstrap,
    cursor: CursorContent,
  ): Promise<CommitResult> {
    const { positions, bootstrap } = cursor;
    const { run, starts } = present;
    // A worker without a share has read nothing, so its cursor ends no snapshot.
    if (positions.includes(undefined)) return { moved: false, state };
    const foreign = !isPending(present) && bootstrap !== undefined && bootstrap.run !== run;
    const older = positions.some((at, partition) => (at?.next ?? 0) < (starts[partition] ?? 0));
    if (foreign || older) return { moved: false, state, redelivery: OTHER_SNAPSHOT };
    const guard = guardOf(cursor, state.row, 0);
    const to = { positions, bootstrap };
    const end = { scan: present.scan, guard };
    const ended = await replace(stream, state, { to, generation: state.generation, end });
    if (ended !== undefined) return { moved: true, state: ended };
    const fresh = await refresh(stream, state);
    assertLeased(
      fresh.offsets.slice(0, 1).every((row) => passesGuard(row, guard)),
      cursor,
    );
    const sought = fresh.generation !== state.generation;
    return sought ? { moved: false, state: fresh } : commit(stream, fresh, cursor);
  }

  /** Commits each partition separately, only forward and under its own lease. */
  async function commitPositions(
    stream: LiveStream,
    state: SubscriptionState,
    cursor: CursorContent,
  ): Promise<CommitResult> {
    const { generation, row } = state;
    const { positions, tokens, releaseCounts } = cursor;
    const known = new Map(state.offsets.map((each) => [each.partition, each]));
    const ahead = positions.flatMap((at, partition) =>
      at !== undefined &&
      at.next > (known.get(partition)?.next ?? 0) &&
      (tokens === undefined || tokens[partition] !== undefined)
        ? [{ ...at, partition, generation, releaseCount: releaseCounts?.[partition] ?? 0 }]
        : [],
    );
    const look = beginLook();
    const results: { moved: boolean; row: OffsetRow; leased: boolean }[] = [];
    for (const epoch of epochsOf(stream)) {
      const own = ahead.filter(({ partition }) => isInEpoch(epoch, partition));
      const moves = await Promise.all(
        own.map(async (to) => {
          const guard = guardOf(cursor, row, to.partition);
          const result = await table.subscriptions.commit(stream.life, row.uid, to, guard);
          if (result === undefined) throw subscriptionNotFound();
          return { ...result, leased: passesGuard(result.row, guard) };
        }),
      );
      results.push(...moves);
      for (const result of moves) known.set(result.row.partition, result.row);
      // The events of a key come in order again after a crash, so nothing of a later epoch is
      // committed before everything of this one.
      if (!chainsIn(epoch).every((at) => isDrained(stream, at, known.get(at)))) break;
    }
    const queued = await commitQueue(stream, row, cursor);
    if (queued?.row !== undefined) known.set(queued.row.partition, queued.row);
    for (const result of results) {
      if (!result.moved) continue;
      const present = known.get(result.row.partition) ?? result.row;
      const settled = await settlePassed({ table, log }, stream, row, present);
      known.set(settled.partition, settled);
    }
    const moved = results.some((result) => result.moved) || queued?.moved === true;
    const redelivery = redeliveryOf(moved, [
      ...results.map((result, at) => isFreedSince(result, ahead[at]) && "key-released"),
      queued?.inVain === true && "queue-changed",
    ]);
    const after = remember(stream, row, look, [...known.values()]);
    assertLeased(
      results.every(({ leased }) => leased),
      cursor,
    );
    if (after.bootstrap === undefined || !isExact(after.bootstrap, after.offsets)) {
      return { moved, state: after, ...redelivery };
    }
    await table.subscriptions.endBootstrap(stream.life, row.uid, generation);
    const offsets = after.offsets.map(({ bootstrap: _, ...rest }) => rest);
    return { moved, state: remember(stream, row, look, offsets), ...redelivery };
  }

  return { commit, commitQueues, guardOf, assertHeld };
}

/**
 * Returns whether a row does not move, although the cursor is ahead of it and its lease is valid,
 * because a key was released.
 */
const isFreedSince = (
  { moved, leased, row }: { moved: boolean; leased: boolean; row: OffsetRow },
  to: Pick<OffsetRow, "next" | "generation"> | undefined,
): boolean =>
  !moved && leased && to !== undefined && row.generation === to.generation && row.next < to.next;

function redeliveryOf(
  moved: boolean,
  found: readonly (RedeliveryReason | false)[],
): { redelivery?: Redelivery } {
  const because = [...new Set(found.filter((reason) => reason !== false))];
  return because.length === 0 ? {} : { redelivery: { part: moved ? "part" : "all", because } };
}
