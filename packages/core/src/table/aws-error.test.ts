import { expect, it } from "vitest";
import { writeRowsUntilKnown } from "./aws-error.ts";
import type { Connection } from "./connection.ts";

const connection = {
  clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
  random: { fraction: () => 0 },
} as unknown as Connection;

const failed = (name: string) => Object.assign(new Error(name), { name });
const lost = failed("TimeoutError");
const refused = failed("ResourceNotFoundException");
const unmet = failed("ConditionalCheckFailedException");

/** Sends a write that gets these answers, one after the other. */
const send = (...answers: (string | Error)[]) =>
  writeRowsUntilKnown(connection, async () => {
    const answer = answers.shift() ?? "written";
    if (answer instanceof Error) throw answer;
    return answer;
  });

it("a write is repeated until its outcome is known, and a failed condition is an outcome", async () => {
  expect(await send()).toBe("written");
  expect(await send(lost, lost)).toBe("written");
  await expect(send(unmet)).rejects.toBe(unmet);
  await expect(send(lost, unmet)).rejects.toBe(unmet);
});

it("a refusal is final, unless an earlier try may have been carried out", async () => {
  await expect(send(refused)).rejects.not.toMatchObject({ code: "outcome-unknown" });
  await expect(send(lost, refused)).rejects.toMatchObject({ code: "outcome-unknown" });
});
