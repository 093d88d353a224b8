import { expect, it } from "vitest";
import { createSeal } from "./seal.ts";

it("[push.secret] a sealed secret opens only with its key and at its place", () => {
  const seal = createSeal("a secret of the stage");
  const sealed = seal.seal("whsec_x", "push a");
  expect(Buffer.from(sealed).toString("latin1")).not.toContain("whsec_x");
  expect(seal.open(sealed, "push a")).toBe("whsec_x");
  expect(seal.seal("whsec_x", "push a")).not.toEqual(sealed);
  expect(() => seal.open(sealed, "push b")).toThrow();
  expect(() => createSeal("another secret").open(sealed, "push a")).toThrow();
  const changed = Uint8Array.from(sealed, (byte, at) =>
    at === sealed.length - 1 ? byte ^ 1 : byte,
  );
  expect(() => seal.open(changed, "push a")).toThrow();
  expect(() => seal.open(Uint8Array.of(2, ...sealed.slice(1)), "push a")).toThrow("later version");
});
