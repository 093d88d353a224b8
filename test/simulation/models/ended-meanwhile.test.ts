import type { CreateStream } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import {
  createLedger,
  LedgerError,
  systemClock,
  systemRandom,
} from "../../../packages/core/src/index.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";

const CONFIG: CreateStream = {
  name: "orders",
  description: "",
  partitions: 2,
  compaction: "key",
  retentionHours: 1,
  archiveDays: null,
};

type Ledger = ReturnType<typeof createLedger>;
const T = defaultTenant;

/** Two processes on one table. `before` runs before each request of the first. */
function open(before: () => Promise<void>) {
  const fake = createFakeDynamo({ tableName: "t", nowMs: Date.now });
  const [first, other] = [fake.client(), fake.client()];
  const send = async (...request: Parameters<typeof first.send>) => {
    await before();
    return first.send(...request);
  };
  const ledgerOn = (client: object): Ledger =>
    createLedger({
      client: client as never,
      tableName: "t",
      clock: systemClock,
      random: systemRandom,
      cursorKeys: [{ id: 1, secret: Buffer.from("the-cursor-key-of-this-test") }],
    });
  return { first: ledgerOn({ send }), other: ledgerOn(other) };
}

/** Operations on all streams, which name no stream that could be missing. */
const OPERATIONS: readonly [name: string, run: (ledger: Ledger) => Promise<unknown>][] = [
  ["a restore", (ledger) => ledger.completeRestore("again")],
  ["creating it", (ledger) => ledger.createStream(T, CONFIG)],
  ["listing", (ledger) => ledger.listStreams(T, { limit: 50, stats: true }, ["*"])],
];

describe("a stream that is deleted meanwhile", () => {
  it.each(OPERATIONS)("[restore.resume] [list.page] %s never misses it", async (_, run) => {
    for (let at = 0, reached = true; reached; at++) {
      let requests = -1;
      reached = false;
      const { first, other } = open(async () => {
        if (requests < 0 || requests++ !== at) return;
        reached = true;
        await other.deleteStream(T, CONFIG.name);
      });
      await other.createStream(T, CONFIG);
      const event = { attributes: { key: "k" }, data: "1" as never };
      await other.publish(T, CONFIG.name, [event, event]);
      requests = 0;
      const outcome = await run(first).catch((error: unknown) => error);
      const code = outcome instanceof LedgerError ? outcome.code : undefined;
      expect(code, `deleted before request ${at}`).toBeUndefined();
      expect(outcome).not.toBeInstanceOf(Error);
      expect(at).toBeLessThan(200);
    }
  });
});
