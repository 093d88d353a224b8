import { LedgerError } from "@eventledger/core";
import { describe, expect, it } from "vitest";
import { createStoreWrites } from "./store-writes.ts";

const PUT = { commandName: "PutItemCommand" };
const READ = { commandName: "GetItemCommand" };

/** Opens the writes of a store whose answers, room and clock the test controls. */
function openStore() {
  const store = { nowMs: 0, room: 1_000, error: undefined as unknown, sent: 0 };
  const writes = createStoreWrites({
    hasRoomFor: async (bytes) => bytes < store.room,
    now: () => store.nowMs,
  });
  const send = (of: typeof PUT, body = "") =>
    writes
      .middleware(async () => {
        store.sent++;
        if (store.error !== undefined) throw store.error;
        return "done";
      }, of)({ request: { body } })
      .catch((error: unknown) => (error instanceof Error ? error.name : "failed"));
  const verdict = () =>
    writes.assertWritable().then(
      () => "writable",
      (error: unknown) => (error instanceof LedgerError ? error.code : String(error)),
    );
  return { store, send, verdict };
}

const answerOf = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

describe("the writes to a store", () => {
  it("without room a write is refused before it is sent, and a read is not", async () => {
    const { store, send, verdict } = openStore();
    store.room = 3;
    expect(await send(PUT, "ab")).toBe("done");
    expect(await send(PUT, "abc")).not.toBe("done");
    expect(store.sent).toBe(1);
    expect(await send(READ, "abc")).toBe("done");
    store.room = 0;
    expect(await verdict()).toBe("store-full");
  });

  it("three writes in a row without an answer are an outage for a minute", async () => {
    const { store, send, verdict } = openStore();
    store.error = new Error("no answer");
    await send(PUT);
    await send(PUT);
    expect(await verdict()).toBe("writable");
    await send(PUT);
    expect(await verdict()).toBe("store-unavailable");
    store.nowMs = 60_000;
    expect(await verdict()).toBe("store-unavailable");
    store.nowMs = 60_001;
    expect(await verdict()).toBe("writable");
  });

  it("an answer of any kind ends an outage, and an error of the server is none", async () => {
    for (const [status, expected] of [
      [400, "writable"],
      [500, "store-unavailable"],
    ] as const) {
      const { store, send, verdict } = openStore();
      store.error = new Error("no answer");
      for (let n = 0; n < 3; n++) await send(PUT);
      store.error = answerOf(status);
      await send(PUT);
      expect(await verdict()).toBe(expected);
    }
    const { store, send, verdict } = openStore();
    store.error = new Error("no answer");
    for (let n = 0; n < 3; n++) await send(PUT);
    store.error = undefined;
    await send(PUT);
    expect(await verdict()).toBe("writable");
  });

  it("a read without an answer says nothing about writes", async () => {
    const { store, send, verdict } = openStore();
    store.error = new Error("no answer");
    for (let n = 0; n < 5; n++) await send(READ);
    expect(await verdict()).toBe("writable");
  });
});
