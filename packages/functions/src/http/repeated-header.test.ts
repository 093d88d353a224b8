import { expect, it } from "vitest";
import { repeatedHeader } from "./repeated-header.ts";

it("a header that selects the caller, the key or the event must not be repeated", () => {
  const twice = (name: string) => repeatedHeader([name, "a", "accept", "*/*", name, "b"])?.pointer;
  expect(twice("X-Api-Key")).toBe("/headers/x-api-key");
  expect(twice("idempotency-key")).toBe("/headers/idempotency-key");
  expect(twice("ce-id")).toBe("/headers/ce-id");
  expect(twice("accept-language")).toBeUndefined();
  expect(repeatedHeader(["x-api-key", "a", "ce-id", "1"])).toBeUndefined();
});
