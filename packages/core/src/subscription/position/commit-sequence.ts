import type { CursorContent } from "../../cursor/cursor.ts";
import { invalidRequest } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { chainCount } from "../../model/epochs.ts";
import { lifeText } from "../../model/names.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { isInSnapshot } from "./progress.ts";

/**
 * Returns the cursor for committing an event of a stream with one partition: everything up to that
 * event. A sequence says less than a cursor, so it is refused where a cursor would say more: in a
 * snapshot, and if keys are or were parked, because it is then unknown which events the page left
 * out. Throws `invalid-request` at `pointer`.
 */
export async function cursorAfter(
  { subscriptions, log }: { readonly subscriptions: Subscriptions; readonly log: Log },
  stream: LiveStream,
  name: string,
  { sequence, pointer }: { readonly sequence: number; readonly pointer: string },
): Promise<CursorContent> {
  if (chainCount(stream) > 1) {
    throw invalidRequest(
      pointer,
      "is a place only on a stream with one partition; commit a cursor",
    );
  }
  const { row, offsets, generation, bootstrap } = await subscriptions.load(stream, name);
  if (isInSnapshot(bootstrap)) {
    throw invalidRequest(pointer, "is not a position in the snapshot; commit the page's cursor");
  }
  const parkedOnce = offsets.some(({ parking }) => parking !== undefined);
  if (parkedOnce) {
    throw invalidRequest(pointer, "is not enough where keys are or were parked; commit a cursor");
  }
  const after = { sequence: sequence + 1, pointer };
  return {
    life: lifeText(stream),
    subscription: { uid: row.uid, generation },
    positions: [await log.seekPartition(stream.life, 0, after)],
    nextPartition: 0,
  };
}
