import { InvalidEvent } from "../errors.ts";
import type { LedgerEvent } from "./event.ts";
import { readWithSchema, type Schemas } from "./schema.ts";

/** An event as the server prints it. */
export type WireEvent = Omit<LedgerEvent, "isDeletion">;

/** What happens to an event that its schema refuses. */
export type OnInvalid = "skip" | "throw";

/** The events that a consumer can use, and the errors of the others. */
export async function readEvents(
  schemas: Schemas | undefined,
  wire: readonly WireEvent[],
): Promise<(LedgerEvent | InvalidEvent)[]> {
  const events = wire.map(
    (event) => ({ ...event, isDeletion: event.data === null }) as LedgerEvent,
  );
  if (schemas === undefined) return events;
  return Promise.all(
    events.map((event) =>
      readWithSchema(schemas, event).catch((error: unknown) => {
        if (InvalidEvent.is(error)) return error;
        throw error;
      }),
    ),
  );
}

/** The valid events. Throws the error of the first invalid one, unless `onInvalid` is `skip`. */
export function usable(
  read: readonly (LedgerEvent | InvalidEvent)[],
  onInvalid: OnInvalid,
): LedgerEvent[] {
  return read.flatMap((event) => {
    if (!InvalidEvent.is(event)) return [event];
    if (onInvalid === "throw") throw event;
    return [];
  });
}
