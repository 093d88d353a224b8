import { invalid, Refusal } from "./fake-problem.ts";

/** An event as the fake keeps it. Numbers in `data` keep their spelling. */
export type Kept = {
  readonly sequence: number;
  readonly publishedAt: string;
  readonly id: string;
  readonly key: string;
  readonly type?: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data: unknown;
};

export type Incoming = Omit<Kept, "sequence" | "publishedAt" | "id"> & {
  readonly id?: string;
  readonly expectedSequence?: number | null;
};

/** A place in a stream: the number of events before it. */
export type FakeStream = {
  readonly name: string;
  readonly life: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  /** All events. The first `expired` of them can no longer be read from the log. */
  readonly events: Kept[];
  expired: number;
  readonly receipts: Map<
    string,
    { readonly body: string; readonly receipt: object; readonly at: number }
  >;
};

/** Writes all events or none. */
export function append(stream: FakeStream, incoming: readonly Incoming[], at: string): Kept[] {
  for (const [index, event] of incoming.entries()) {
    const where = `/events/${index}`;
    if (typeof event.key !== "string" || event.key === "")
      throw invalid(`${where}/key`, "is required");
    if (event.data === undefined) throw invalid(`${where}/data`, "is required");
    if (JSON.stringify(event.data).length > 262_144) {
      const errors = [{ pointer: where, detail: "is too large" }];
      const more = { eventBytesMax: 262_144, errors };
      throw new Refusal("event-too-large", `${where} is too large`, more);
    }
  }
  const mismatches = incoming.flatMap(({ key, expectedSequence }) => {
    if (expectedSequence === undefined) return [];
    const last = stream.events.findLast((event) => event.key === key);
    const isNone = last === undefined || last.data === null;
    const sequence = last?.sequence ?? 0;
    const isMet = expectedSequence ? sequence === expectedSequence : isNone;
    return isMet ? [] : [{ key, sequence }];
  });
  if (mismatches.length > 0) {
    throw new Refusal("sequence-mismatch", "A key is not as expected", { mismatches });
  }
  const written = incoming.map(({ expectedSequence: _, ...event }, index): Kept => {
    const sequence = stream.events.length + index + 1;
    return { sequence, publishedAt: at, ...event, id: event.id ?? `${stream.life}-${sequence}` };
  });
  stream.events.push(...written);
  return written;
}

/** Returns the last event of each key, without deleted keys. */
export function statesOf(stream: FakeStream, keyPrefix = ""): Kept[] {
  const states = new Map<string, Kept>();
  for (const event of stream.events) {
    if (!event.key.startsWith(keyPrefix)) continue;
    if (event.data === null) states.delete(event.key);
    else states.set(event.key, event);
  }
  return [...states.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Returns the last event of each key that has one after `since`, deletions included. */
export function changesOf(stream: FakeStream, keyPrefix: string, since: number): Kept[] {
  const changes = new Map<string, Kept>();
  for (const event of stream.events.slice(since)) {
    if (event.key.startsWith(keyPrefix)) changes.set(event.key, event);
  }
  return [...changes.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Refuses a position that the log has lost. A poll gets the cursor of a difference with it. */
export function assertKept(
  { expired, settings }: FakeStream,
  position: number,
  cursor?: string,
): void {
  if (position >= expired) return;
  const isCompacted = settings.compaction !== "none";
  const since = isCompacted && cursor !== undefined ? { since: cursor } : {};
  const seek = isCompacted ? "bootstrap" : "earliest";
  const more = { earliestSequence: expired + 1, seek, ...since };
  throw new Refusal("retention-passed", "The next events are no longer kept", more);
}

export const lagOf = (stream: FakeStream, position: number, now: number) => {
  const next = stream.events[Math.max(position, stream.expired)];
  const events = Math.max(0, stream.events.length - Math.max(position, stream.expired));
  const seconds =
    next === undefined ? 0 : Math.max(0, (now - Date.parse(next.publishedAt)) / 1_000);
  return { events, seconds };
};
