import { LedgerError } from "@eventledger/core";
import { expect, it } from "vitest";
import { createFailedKeys } from "./failed-keys.ts";

it("[quota.failed-keys] requests without a valid key have a limit of their own", () => {
  const time = { ms: 0 };
  const answer = createFailedKeys(() => time.ms);
  const answered = (count: number) => {
    let passed = 0;
    for (let request = 0; request < count; request++) {
      try {
        answer();
        passed++;
      } catch (error) {
        expect(error).toBeInstanceOf(LedgerError);
        expect(error).toMatchObject({ code: "quota-exceeded", facts: { of: "server" } });
      }
    }
    return passed;
  };
  expect(answered(3_000)).toBe(2_000);
  time.ms += 1_000;
  expect(answered(3_000)).toBe(100);
  time.ms += 3_600_000;
  expect(answered(3_000)).toBe(2_000);
});
