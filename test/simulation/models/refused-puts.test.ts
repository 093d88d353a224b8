import { once } from "node:events";
import { expect, it } from "vitest";
import { createLedger, defaultTenant } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

/** A role without `dynamodb:PutItem` reads the log and cannot write to it. */
it("[publish.unavailable] a put that the store refuses is not sent again, and the answer says why", async () => {
  const world = { nowMs: Date.UTC(2026, 0, 1), refuses: false, puts: 0 };
  const store = createFakeDynamo({ tableName: "refused", nowMs: () => world.nowMs });
  const { send } = store.client();
  const client = {
    send: async (command: Parameters<typeof send>[0]) => {
      if (!world.refuses || command.constructor.name !== "PutCommand") return send(command);
      world.puts++;
      const name = "AccessDeniedException";
      throw Object.assign(new Error("not authorized to perform dynamodb:PutItem"), { name });
    },
  };
  const ledger = createLedger({
    client: client as never,
    tableName: "refused",
    clock: {
      now: () => world.nowMs,
      monotonic: () => world.nowMs,
      sleep: async (ms, signal) => {
        if (signal === undefined) world.nowMs += ms;
        else await once(signal, "abort");
      },
    },
    random: seededRandom(1),
    cursorKeys: [{ id: 1, secret: Buffer.from("refused") }],
  });
  const rest = { description: "", retentionHours: 24, archiveDays: null };
  const config = { name: "orders", partitions: 1, compaction: "key", ...rest } as const;
  await ledger.createStream(defaultTenant, config);
  const publish = () =>
    ledger.publish(defaultTenant, "orders", [{ attributes: { key: "k" }, data: "1" as never }]);
  await publish();
  world.refuses = true;
  await expect(publish()).rejects.toMatchObject({ code: "store-misconfigured" });
  expect(world.puts).toBe(1);
});
