import { expect, it } from "vitest";
import type { PushRow } from "../table/push.entity.ts";
import type { Seal } from "./endpoint.ts";
import { signingSecrets } from "./signing-secrets.ts";

const seal: Seal = {
  seal: (text) => Buffer.from(text),
  open: (sealed) => Buffer.from(sealed).toString(),
};
const rowWith = (...secrets: string[]): PushRow =>
  ({
    life: "s#u",
    subscriptionUid: "x",
    secrets: secrets.map((text) => ({ sealed: Buffer.from(text) })),
  }) as unknown as PushRow;

it("[push.secret] a run looks for new secrets at most once a second, for all deliveries together", async () => {
  let nowMs = 0;
  let loads = 0;
  let row: PushRow | undefined = rowWith("new", "first");
  let isAway = false;
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} };
  const load = async () => {
    loads++;
    if (isAway) throw new Error("no answer");
    return row;
  };
  const secrets = signingSecrets({ table: { pushes: { load } }, clock, seal }, rowWith("first"));
  const together = () => Promise.all(Array.from({ length: 100 }, secrets));
  expect((await together()).flat()).toEqual(Array(100).fill("first"));
  expect(loads).toBe(0);
  nowMs += 1_000;
  expect(new Set((await together()).map((each) => each.join()))).toEqual(new Set(["new,first"]));
  expect(loads).toBe(1);
  nowMs += 999;
  await together();
  expect(loads).toBe(1);
  // The secrets that are known sign while the table is away, and after the push was ended.
  nowMs += 1;
  isAway = true;
  expect(await secrets()).toEqual(["new", "first"]);
  nowMs += 1_000;
  isAway = false;
  row = undefined;
  expect(await secrets()).toEqual(["new", "first"]);
  expect(loads).toBe(3);
});
