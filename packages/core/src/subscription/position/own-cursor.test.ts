import { expect, it } from "vitest";
import type { CursorContent } from "../../cursor/cursor.ts";
import { LedgerError } from "../../kernel/error.ts";
import { lifeText } from "../../model/names.ts";
import { nothingParked } from "../../model/parking.ts";
import type { Restored } from "../../model/restored.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { SubscriptionState } from "../state.ts";
import { assertOwnCursor } from "./own-cursor.ts";

const restored: Restored = { id: "r1", at: 1_000, name: "first", before: [] };
const stream = { name: "orders", uid: "now", life: "orders#now", partitions: 2, restored };
const facts = {
  hadLife: async () => false,
  lostBy: async () => [{ id: "r1", from: 10, to: 20 }],
};

/** A subscription at its second generation. `parked` says in which partitions keys were parked. */
const stateOf = (parked: readonly boolean[]) => ({
  row: { uid: "sub" },
  generation: 2,
  offsets: parked.map((isParked, partition) => ({
    ...{ partition, batch: 1, next: 5, generation: 2 },
    ...(isParked ? { parking: nothingParked } : {}),
  })),
});

const positions = [0, 1].map(() => ({ batch: 1, next: 5 }));
const own = { subscription: { uid: "sub", generation: 2 }, positions, nextPartition: 0 };
const ofNow = { ...own, life: lifeText(stream as never) };
const before = { ...own, life: "now" };

/** Returns the reason why a cursor is refused, or undefined. */
async function reasonFor(cursor: CursorContent, parked: readonly boolean[] = [false, false]) {
  const state = stateOf(parked) as unknown as SubscriptionState;
  try {
    await assertOwnCursor(facts, stream as unknown as LiveStream, state, cursor);
    return undefined;
  } catch (error) {
    return error instanceof LedgerError ? error.facts.reason : error;
  }
}

it("a cursor belongs to its subscription and its generation", async () => {
  expect(await reasonFor(ofNow)).toBeUndefined();
  expect(await reasonFor({ ...ofNow, subscription: { uid: "sub", generation: 1 } })).toBe("seeked");
  expect(await reasonFor({ ...ofNow, subscription: { uid: "sub2", generation: 2 } })).toBe(
    "other-subscription",
  );
  expect(await reasonFor({ ...ofNow, positions: positions.slice(1) })).toBe("malformed");
});

it("[restore.lost] a cursor from before a restore is refused where its pages may have withheld events", async () => {
  expect(await reasonFor(before)).toBeUndefined();
  expect(await reasonFor({ ...before, parked: true })).toBe("restored");
  expect(await reasonFor(before, [true, false])).toBe("restored");
  expect(await reasonFor(before, [true, true])).toBe("restored");
  // The current parking state covers every current cursor.
  expect(await reasonFor({ ...ofNow, parked: true }, [true, false])).toBeUndefined();
});
