import { LIMITS } from "@eventledger/protocol";
import { expect, it } from "vitest";
import { readIdempotencyKey } from "./idempotency-key.ts";

it("[publish.idempotent] a key is visible ASCII, quoted or bare, and of bounded length", () => {
  const longest = "k".repeat(LIMITS.idempotencyKeyCharsMax);
  expect([undefined, "k-1", '"k-1"', longest].map(readIdempotencyKey)).toEqual([
    undefined,
    "k-1",
    "k-1",
    longest,
  ]);
  for (const wrong of ["", '""', "a b", "\u00e9", "a\tb", `${longest}k`]) {
    expect(() => readIdempotencyKey(wrong)).toThrow(/headers\/idempotency-key|visible ASCII/);
  }
});
