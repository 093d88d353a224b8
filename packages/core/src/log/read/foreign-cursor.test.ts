import { describe, expect, it } from "vitest";
import { LedgerError } from "../../kernel/error.ts";
import { type Life, lifeText, type ScopedName } from "../../model/names.ts";
import type { LostRange, Restored } from "../../model/restored.ts";
import { assertOfStream, createFormerLives, isOfThisRestore } from "./foreign-cursor.ts";

const NAME = "orders" as ScopedName;
const LIFE = "orders#now" as Life;
const of = { name: NAME, uid: "now", life: LIFE, partitions: 1 };

const first = { id: "r1", at: 1_000 };
const restored: Restored = { id: "r2", at: 2_000, name: "second", before: [first] };
/** The first restore kept everything before 10, the second one everything before 30. */
const LOST: readonly LostRange[] = [
  { id: "r1", from: 10, to: 20 },
  { id: "r2", from: 30, to: 40 },
];

const facts = {
  hadLife: async (_: ScopedName, uid: string) => uid === "before",
  lostBy: async () => LOST,
};

/** Returns the reason why a cursor is refused, or undefined. At 0 it has no position. */
async function reasonFor(stream: typeof of & { restored?: Restored }, life: string, next: number) {
  const position = next === 0 ? undefined : { batch: 1, next };
  const cursor = { life, positions: [position], nextPartition: 0 };
  try {
    await assertOfStream(facts, stream, cursor);
    return undefined;
  } catch (error) {
    return error instanceof LedgerError ? error.facts.reason : error;
  }
}

describe("a cursor that is used on a stream", () => {
  it("names its own life, an earlier one of the name, or another stream", async () => {
    expect(await reasonFor(of, "now", 5)).toBeUndefined();
    expect(await reasonFor(of, "before", 5)).toBe("other-life");
    expect(await reasonFor(of, "elsewhere", 5)).toBe("other-stream");
  });

  it("[restore.lost] covers no more than the restore after it has kept", async () => {
    const stream = { ...of, restored };
    const lives = {
      beginning: "now",
      first: lifeText({ uid: "now", restored: { ...first, name: "", before: [] } }),
      second: lifeText(stream),
      never: lifeText({ uid: "now", restored: { ...restored, at: 1_500 } }),
    };
    const reasons = (life: string, places: readonly number[]) =>
      Promise.all(places.map((next) => reasonFor(stream, life, next)));
    expect(await reasons(lives.beginning, [10, 11])).toEqual([undefined, "restored"]);
    expect(await reasons(lives.first, [10, 30, 31])).toEqual([undefined, undefined, "restored"]);
    expect(await reasons(lives.second, [31])).toEqual([undefined]);
    // A copy of the table went through a restore that this table does not know.
    expect(await reasons(lives.never, [0, 5])).toEqual(["restored", "restored"]);
    expect(isOfThisRestore(stream, { life: lives.first, positions: [], nextPartition: 0 })).toBe(
      false,
    );
  });

  it("[restore.lost] may be from before an epoch, and covers nothing of a lost one", async () => {
    const epochs = [
      { first: 0, partitions: 1, from: 1, at: 0, ends: [40] },
      { first: 1, partitions: 2, from: 41, at: 3_000 },
    ];
    const stream = { ...of, restored, partitions: 2, epochs };
    const lostBy = async (_: Life, partition: number) => (partition === 0 ? LOST : []);
    const isAccepted = async (nexts: readonly number[]) => {
      const positions = nexts.map((next) => ({ batch: next, next }));
      const cursor = { life: "now", positions, nextPartition: 0 };
      const judged = assertOfStream({ ...facts, lostBy }, stream, cursor);
      return judged.then(
        () => true,
        (error: LedgerError) => error.facts.reason !== "restored",
      );
    };
    expect(await isAccepted([10, 41, 41])).toBe(true);
    expect(await isAccepted([10, 25, 25])).toBe(false);
    expect(await isAccepted([10, 41, 42])).toBe(false);
    expect(await isAccepted([11, 41, 41])).toBe(false);
  });

  it("[restore.lost] is refused by a table without restores when a restored copy made it", async () => {
    expect(await reasonFor(of, lifeText({ uid: "now", restored }), 5)).toBe("restored");
  });
});

it("a name had a life when a batch or the seal of its first chain is left", async () => {
  const hadLife = (last: object | undefined) =>
    createFormerLives({ batches: { loadLast: async () => last } } as never)(NAME, "before");
  expect([await hadLife({ kind: "seal" }), await hadLife(undefined)]).toEqual([true, false]);
});
