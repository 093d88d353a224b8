import { afterAll, expect, it } from "vitest";
import { defaultTenant } from "../../packages/core/src/index.ts";
import { openArchivedTarget } from "../contract/archived-target.ts";

/** These tests count the cost of usage, in DynamoDB's units. */

const HOUR_MS = 3_600_000;
let aheadMs = 0;
const { api, opened, close } = await openArchivedTarget(() => aheadMs);
afterAll(close);

/** The write units of the rows of usage, and all writes with their units. */
let ofUsage = 0;
const writes: { readonly input: string; readonly units: number }[] = [];
opened.client.middlewareStack.add(
  (next, context) => async (args) => {
    const input = { ...args.input, ReturnConsumedCapacity: "TOTAL" };
    const result = await next({ ...args, input });
    if (!/^(Put|Update)/.test(String(context.commandName))) return result;
    const { ConsumedCapacity: used } = result.output as {
      ConsumedCapacity?: { CapacityUnits?: number };
    };
    const text = JSON.stringify(args.input);
    const units = used?.CapacityUnits ?? 0;
    writes.push({ input: text, units });
    if (text.includes("USAGE#")) ofUsage += units;
    return result;
  },
  { step: "initialize", name: "usageUnits", priority: "low" },
);

const isCheckpoint = ({ input }: { readonly input: string }) => input.includes('"CHECKPOINT"');

it("[usage.idle] usage costs 0.02 write units per event at most, and nothing while idle", async () => {
  const stream = await api.newStream({ compaction: "none" });
  const events = Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, data: { n } }));
  // One request of 10 events every 10 s, for two hours. Each is compacted alone.
  for (let request = 0; request < 720; request++) {
    await api.publish(stream, events);
    await opened.ledger.compact(defaultTenant, stream);
    aheadMs += 10_000;
  }
  const perEvent = ofUsage / 7_200;
  console.info(`usage: ${ofUsage} write units for 7,200 events, ${perEvent} per event`);
  expect(perEvent).toBeLessThanOrEqual(0.02);
  // The hours in the checkpoint do not make its write cost a second unit.
  expect(Math.max(...writes.filter(isCheckpoint).map(({ units }) => units))).toBe(1);

  for (let hour = 0; hour < 12; hour++) {
    aheadMs += HOUR_MS;
    await opened.ledger.sweep();
  }
  const settled = ofUsage;
  for (let hour = 0; hour < 24; hour++) {
    aheadMs += HOUR_MS;
    await opened.ledger.sweep();
  }
  expect(ofUsage - settled).toBe(0);
}, 300_000);
