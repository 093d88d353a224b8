import type { LogPage } from "../../log/read/read.ts";
import type { Entry } from "../../log/read/read-run.ts";
import { chainOfEvent } from "../../model/epochs.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import { deliveriesOf, planLimit, planNote, planPoison } from "./delivery-count-plan.ts";
import { createParkAt, type DeliveryDeps, maxOf, own, type Whose } from "./page-reader.ts";
import { readLog } from "./read-log.ts";

/** The page to deliver, and those of its events that pass the filter. */
type Delivered = { readonly page: LogPage; readonly events: readonly StoredEvent[] };

/**
 * With `maxDeliveries`, counts the deliveries of pages after the committed offset, and parks a key
 * whose event keeps failing. Each page that is counted costs a write.
 */
export function createLogDeliveries(deps: DeliveryDeps) {
  const { table, log } = deps;
  const parkAt = createParkAt(deps);

  /** Returns the maximum number of events in the next page after the committed offset. */
  const limitOf = (whose: Whose, limit: number): number =>
    maxOf(whose) === undefined ? limit : planLimit(own(whose), limit);

  /**
   * Parks the first event of a partition if it was delivered too often. Returns true when anything
   * changed.
   */
  async function parkPoison(stream: LiveStream, whose: Whose): Promise<boolean> {
    const max = maxOf(whose);
    if (max === undefined) return false;
    const partition = planPoison(own(whose), max);
    const row = whose.state.offsets.find((each) => each.partition === partition);
    if (row === undefined) return false;
    const head = await headOf(stream, whose, row);
    if (head === undefined) return false;
    const { event, batch } = head;
    const poison = { key: event.key, batch, next: event.sequence };
    return parkAt({ stream, whose, row }, poison, deliveriesOf(row.delivery, event.sequence));
  }

  /** Returns the first event after a partition's committed offset that passes the filter. */
  async function headOf(
    stream: LiveStream,
    { state }: Whose,
    { partition }: OffsetRow,
  ): Promise<Entry | undefined> {
    const of = {
      positions: state.offsets,
      limit: 1,
      nextPartition: 0,
      among: new Set([partition]),
    };
    const { events, page } = await readLog(log, stream, state, of);
    return page.entries.find(({ event }) => event.sequence === events[0]?.sequence);
  }

  /** Records that a page after the committed offset is about to be delivered. */
  async function note(
    stream: LiveStream,
    whose: Whose,
    { page, events }: Delivered,
  ): Promise<void> {
    if (maxOf(whose) === undefined || events.length === 0) return;
    const { life } = stream;
    const place = { life, subscriptionUid: whose.state.row.uid };
    const limit = events.length;
    const delivered = new Set(events.map((event) => chainOfEvent(stream, event)));
    await Promise.all(
      own(whose).map(async (row) => {
        const until = page.runs[row.partition]?.position.next ?? 0;
        if (!delivered.has(row.partition) || until <= row.next) return;
        await table.parking.noteDelivery(place, row, planNote(row, { limit, until }));
      }),
    );
  }

  return { limitOf, parkPoison, note };
}
