import { expect, it } from "vitest";
import { takeStamp } from "../../kernel/clock.ts";
import { HOUR_MS, MINUTE_MS } from "../../kernel/time.ts";
import { lifeOf, type ScopedName } from "../../model/names.ts";
import { firstCheckpoint } from "../../table/checkpoint.entity.ts";
import { createQuietEnds } from "./quiet-ends.ts";

const LIFE = lifeOf("orders" as ScopedName, "uid");
const AT = { batch: 7, next: 7 };

function open() {
  let ms = 1_000_000;
  const clock = { now: () => ms, monotonic: () => ms, sleep: async () => {} };
  const ends = createQuietEnds({ clock });
  const checkpoint = firstCheckpoint(1, { nowMs: ms, isArchived: false });
  const chain = { ...checkpoint, life: LIFE, partition: 0 };
  return {
    ends,
    chain,
    look: () => ends.learn(chain, AT.next, takeStamp(clock)),
    recall: (at = AT) => ends.recall(LIFE, 0, at),
    pass: (by: number) => {
      ms += by;
    },
  };
}

it("[poll.idle-cost] a reader that looks at one end each few seconds keeps its checkpoint for an hour", () => {
  const { look, recall, pass, chain } = open();
  expect(recall()).toBeUndefined();
  look();
  for (let passed = 0; passed < HOUR_MS - 10_000; passed += 10_000) {
    pass(10_000);
    expect(recall()).toBe(chain);
    look();
  }
  pass(10_000);
  expect(recall()).toBeUndefined();
});

it("a reader that has not looked for a minute may have missed what has expired", () => {
  const { look, recall, pass } = open();
  look();
  pass(MINUTE_MS - 1);
  expect(recall()).toBeDefined();
  pass(1);
  expect(recall()).toBeUndefined();
});

it("an end is quiet only at its own place, and until it is forgotten", () => {
  const { ends, look, recall } = open();
  look();
  expect(recall({ batch: 8, next: 8 })).toBeUndefined();
  expect(recall({ batch: 5, next: 7 })).toBeUndefined();
  expect(ends.recall(LIFE, 1, AT)).toBeUndefined();
  ends.forget(LIFE, 0);
  expect(recall()).toBeUndefined();
});
