import { describe, expect, it } from "vitest";
import { LedgerError } from "../../kernel/error.ts";
import type { Log } from "../../log/log.ts";
import { nothingParked, type ParkedKey } from "../../model/parking.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import type { Table } from "../../table/table.ts";
import { settlePassed } from "./settle.ts";

const stream = { life: "orders#1", partitions: 2 } as unknown as LiveStream;

/** A key whose event 4 was skipped, and which waits for a commit to pass it. */
const skipped: ParkedKey = {
  ...{ id: 1, key: "a", from: 4, next: 5, batch: 1, reason: "", parkedAt: 0 },
  retrying: true,
};

type Case = {
  readonly key?: Partial<ParkedKey>;
  /** The committed offset. */
  readonly next: number;
  /** The events of the log, each as its key and its sequence. */
  readonly events?: readonly (readonly [key: string, sequence: number])[];
  /** Where the read ends. By default it reaches the committed offset. */
  readonly end?: number;
  readonly filter?: SubscriptionRow["config"]["filter"];
};

/** Settles a row. Returns the keys that are parked afterwards, and the number of reads. */
async function settle({ key = {}, next, events = [], end = next, filter }: Case) {
  const row: OffsetRow = {
    ...{ partition: 1, batch: 1, next, generation: 1 },
    parking: { ...nothingParked, keys: [{ ...skipped, ...key }] },
  };
  let reads = 0;
  const log = {
    read: async () => {
      reads++;
      return {
        runs: [undefined, { position: { batch: 1, next: end } }],
        entries: events.map(([name, sequence]) => ({ event: { key: name, sequence } })),
      };
    },
  };
  const change = async (_: object, from: OffsetRow, parking: OffsetRow["parking"]) => {
    return { ...from, parking };
  };
  const deps = { log: log as unknown as Log, table: { parking: { change } } as unknown as Table };
  const config = { start: "earliest", leaseSeconds: 30, ...(filter && { filter }) };
  const after = await settlePassed(deps, stream, { uid: "s", config } as SubscriptionRow, row);
  return { keys: after.parking?.keys.map((each) => each.key), reads };
}

const FREE = { keys: [] };
const PARKED = { keys: ["a"] };

describe("[park.skip] after a commit, a key that waited for it", () => {
  it.each<[string, Case, object]>([
    ["is free when the commit ends with the skipped event", { next: 5 }, { ...FREE, reads: 0 }],
    ["is free when only other keys follow", { next: 7, events: [["b", 6]] }, FREE],
    ["stays when an event of it follows", { next: 7, events: [["a", 6]] }, PARKED],
    ["stays when an event of it is next", { next: 7, events: [["a", 5]] }, PARKED],
    ["is free when its next event is after the offset", { next: 7, events: [["a", 7]] }, FREE],
    ["is free when its event is the skipped one", { next: 7, events: [["a", 4]] }, FREE],
    ["stays when the read does not reach the offset", { next: 7, end: 6 }, PARKED],
    ["stays when the commit has not reached its event", { next: 4 }, { ...PARKED, reads: 0 }],
    ["stays when it is parked", { next: 7, key: { retrying: false } }, { ...PARKED, reads: 0 }],
    [
      "stays when nothing of it was skipped",
      { next: 7, key: { from: 5 } },
      { ...PARKED, reads: 0 },
    ],
    [
      "is free when the filter leaves its events out",
      { next: 7, events: [["a", 6]], filter: { keyPrefix: "b" } },
      FREE,
    ],
  ])("%s", async (_, asked, expected) => {
    expect(await settle(asked)).toMatchObject(expected);
  });
});

it("a problem of the log leaves the rest to the next poll, and a fault does not pass for one", async () => {
  const row = {
    ...{ partition: 1, batch: 1, next: 7, generation: 1 },
    parking: { ...nothingParked, keys: [skipped] },
  };
  const settleWith = (error: Error) =>
    settlePassed(
      { log: { read: () => Promise.reject(error) } as never, table: {} as never },
      stream,
      { uid: "s", config: {} } as SubscriptionRow,
      row,
    );
  expect(await settleWith(new LedgerError("retention-passed", { detail: "" }))).toBe(row);
  await expect(settleWith(new TypeError("a fault"))).rejects.toThrow("a fault");
});
