import { expect, it } from "vitest";
import type { Connection } from "./connection.ts";
import { transactOnce } from "./transaction.ts";

const connection = {
  clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
  random: { fraction: () => 0 },
} as unknown as Connection;

const WRITTEN = { canceled: false, data: [] };
const REJECTED = { canceled: true, data: [{ code: "ConditionalCheckFailed" }] };
const CONFLICT = { canceled: true, data: [{ code: "TransactionConflict" }] };
const lost = new Error("the connection was closed");
const refused = Object.assign(new Error("no such table"), { name: "ResourceNotFoundException" });

/** Sends a transaction that gets these answers, one after the other. */
const send = (...answers: (typeof WRITTEN | typeof REJECTED | Error)[]) =>
  transactOnce(connection, async () => {
    const answer = answers.shift() ?? WRITTEN;
    if (answer instanceof Error) throw answer;
    return answer;
  });

it("a transaction is repeated until its outcome is known, and says whether it was repeated", async () => {
  expect(await send()).toEqual({ reasons: undefined, isRepeated: false });
  expect(await send(REJECTED)).toEqual({ reasons: REJECTED.data, isRepeated: false });
  for (const unclear of [lost, CONFLICT]) {
    expect(await send(unclear)).toEqual({ reasons: undefined, isRepeated: true });
    expect(await send(unclear, REJECTED)).toEqual({ reasons: REJECTED.data, isRepeated: true });
  }
});

it("a refusal is final, unless an earlier try may have been carried out", async () => {
  await expect(send(refused)).rejects.not.toMatchObject({ code: "outcome-unknown" });
  await expect(send(lost, refused)).rejects.toMatchObject({ code: "outcome-unknown" });
});
