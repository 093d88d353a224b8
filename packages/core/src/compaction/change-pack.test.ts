import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { packChanges, unpackChanges } from "./change-pack.ts";

const hexOf = (n: number) => createHash("sha256").update(String(n)).digest("hex");

it("[difference.cost] random keys take little more than their content", () => {
  const changes = Array.from({ length: 1_000 }, (_, n) => ({
    key: hexOf(n).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5"),
    sequence: 1 + n * 4,
  }));
  const packed = packChanges(changes);
  expect(unpackChanges(packed)).toEqual(changes);
  // A UUID has 16 bytes, and a distance one. Short matches would make it 21.5 bytes.
  expect(packed.payload.length).toBeLessThan(20_500);
});
