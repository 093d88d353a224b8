import { systemClock } from "@eventledger/core";
import { CreateStream } from "@eventledger/protocol";
import { expect, it } from "vitest";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { createTestTable } from "../support/test-table.ts";

const TENANT = "default" as never;

it("[read.from] a reader skips nothing after a receipt, even of a publisher whose clock is late", async () => {
  const { endpoint, tableName } = await createTestTable();
  const open = (behindMs: number) =>
    openLedger({
      endpoint,
      tableName,
      region: "us-east-1",
      adminKey: "admin",
      cursorKey: "secret",
      clock: { ...systemClock, now: () => Date.now() - behindMs },
    });
  const [right, slow] = [open(0), open(50_000)];
  await right.ledger.createStream(TENANT, CreateStream.parse({ name: "orders", partitions: 16 }));
  const publish = (by: typeof right, key: string) =>
    by.ledger.publish(TENANT, "orders", [{ attributes: { key }, data: "1" as never }]);
  const { cursor } = await publish(right, "first");
  const later = Array.from({ length: 8 }, (_, n) => `later ${n}`);
  for (const key of later) await publish(slow, key);
  const page = await right.ledger.browse(TENANT, "orders", { from: cursor, limit: 100 });
  expect(page.events.map(({ key }) => key).sort()).toEqual(later);
  for (const { close } of [right, slow]) close();
});
