import type { CursorContent } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import type { Position } from "../../model/position.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { Table } from "../../table/table.ts";
import { type Matches, matcherOf } from "../filter.ts";
import type { Parking } from "../parking/parking.ts";
import type { SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";

/**
 * The reader of the pages: the whole subscription, or one worker with its partitions and their
 * tokens.
 */
export type Whose = {
  readonly state: SubscriptionState;
  readonly among?: ReadonlySet<number> | undefined;
  readonly tokens?: NonNullable<CursorContent["tokens"]>;
};

/** Returns the rows of the partitions that a reader reads. */
export const own = ({ state, among }: Whose): readonly OffsetRow[] =>
  state.offsets.filter(({ partition }) => among === undefined || among.has(partition));

export const matchesOf = ({ state }: Whose): Matches | undefined =>
  matcherOf(state.row.config.filter);

/** Returns how often an event is delivered before its key is parked. Undefined without a limit. */
export const maxOf = ({ state }: Whose): number | undefined => state.row.config.maxDeliveries;

export type DeliveryDeps = {
  readonly table: Table;
  readonly log: Log;
  readonly subscriptions: Subscriptions;
  readonly parking: Parking;
};

/** Makes the function that parks an event which was delivered `times` times. */
export const createParkAt =
  ({ subscriptions, parking }: DeliveryDeps) =>
  (
    { stream, whose, row }: { stream: LiveStream; whose: Whose; row: OffsetRow },
    poison: Position & { readonly key: string },
    times: number,
  ): Promise<boolean> => {
    const { state, tokens } = whose;
    const guard = subscriptions.guardOf(
      tokens === undefined ? {} : { tokens },
      state.row,
      row.partition,
    );
    const reason = `delivered ${times} times without being committed`;
    return parking.parkPoison(stream, state, row, { poison, reason, guard });
  };
