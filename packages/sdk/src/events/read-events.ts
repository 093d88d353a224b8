import { InvalidEvent } from "../errors.ts";
import type { LedgerEvent } from "./event.ts";
import { readWithSchema, type Schemas } from "./schema.ts";

/** An event as the server prints it. */
export type WireEvent = Omit<LedgerEvent, "isDeletion">;

/** What happens to an event that its schema refuses. */
export type OnInvalid = "skip" | "throw";

/**
 * Returns the events that a consumer can use. `onInvalid` may be a function that parks the key of
 * an invalid event. Then later events of that key are left out, too.
 */
export async function readEvents(
  schemas: Schemas | undefined,
  wire: readonly WireEvent[],
  onInvalid: OnInvalid | ((error: InvalidEvent) => Promise<unknown>) = "throw",
): Promise<LedgerEvent[]> {
  const events = wire.map(
    (event) => ({ ...event, isDeletion: event.data === null }) as LedgerEvent,
  );
  if (schemas === undefined) return events;
  const parked = new Set<string>();
  const usable: LedgerEvent[] = [];
  const read = events.map((each) => (each.isDeletion ? each : readWithSchema(schemas, each)));
  for (const event of await Promise.all(read)) {
    if (parked.has(event.key)) continue;
    if (!InvalidEvent.is(event)) usable.push(event);
    else if (onInvalid === "throw") throw event;
    else if (onInvalid !== "skip") {
      await onInvalid(event);
      parked.add(event.key);
    }
  }
  return usable;
}
