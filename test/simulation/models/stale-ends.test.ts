import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createLedger, defaultTenant } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

const of = [defaultTenant, "orders"] as const;
const event = { attributes: { key: "k" }, data: "1" as never };

/** Opens processes that remember what they have seen, over one table and one clock. */
async function openProcesses(count: number) {
  const world = { nowMs: Date.UTC(2026, 0, 1), puts: 0, queries: 0 };
  const store = createFakeDynamo({
    tableName: "stale",
    nowMs: () => world.nowMs,
    gate: async (label) => {
      if (!label.startsWith("send")) return;
      if (/ put STREAM#.*SEQ#/.test(label)) world.puts++;
      if (label.includes(" query ")) world.queries++;
    },
  });
  const ledgers = Array.from({ length: count }, (_, n) =>
    createLedger({
      client: store.client() as never,
      tableName: "stale",
      clock: {
        now: () => world.nowMs,
        monotonic: () => world.nowMs,
        sleep: async (ms, signal) => {
          if (signal === undefined) world.nowMs += ms;
          else await once(signal, "abort");
        },
      },
      random: seededRandom(`process ${n}`),
      cursorKeys: [{ id: 1, secret: Buffer.from("stale") }],
    }),
  );
  const rest = { description: "", retentionHours: 24, archiveDays: null };
  const config = { name: "orders", partitions: 1, compaction: "key", ...rest } as const;
  await ledgers[0]?.createStream(defaultTenant, config);
  return { world, ledgers };
}

/**
 * Publishes from each process in turn, `apartMs` apart, and returns the cost of each publish after
 * the first rounds.
 */
async function publishInTurns(processes: number, { apartMs }: { apartMs: number }) {
  const { world, ledgers } = await openProcesses(processes);
  const WARM_UP = 2;
  const ROUNDS = 10;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round === WARM_UP) [world.puts, world.queries] = [0, 0];
    for (const ledger of ledgers) {
      world.nowMs += apartMs;
      await ledger.publish(...of, [event]);
    }
  }
  const publishes = ROUNDS * processes;
  return { puts: world.puts / publishes, queries: world.queries / publishes };
}

describe("processes that publish seldom to one partition", () => {
  it("look at the end before they put, instead of losing a race to the past", async () => {
    const { puts, queries } = await publishInTurns(20, { apartMs: 600 });
    expect(puts).toBeLessThanOrEqual(1.2);
    expect(queries).toBeLessThanOrEqual(1.2);
  });

  it("look at nothing while each is alone", async () => {
    expect(await publishInTurns(1, { apartMs: 600 })).toEqual({ puts: 1, queries: 0 });
  });
});
