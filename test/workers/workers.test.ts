import { afterAll, expect, it } from "vitest";
import { openTarget } from "../contract/target.ts";
import { findViolations, runDisturbed } from "../workers/disturbed.ts";

const SECONDS = Number(process.env.WORKERS_SECONDS ?? 12);
const LEASE_SECONDS = 2;

const { close, ...target } = await openTarget();
afterAll(close);

it("[lease.standby] loses nothing and keeps every key's order while workers are killed and stopped", async () => {
  const disturbed = await runDisturbed(target, {
    ...{ workers: 8, partitions: 16, leaseSeconds: LEASE_SECONDS },
    ...{ durationMs: SECONDS * 1_000, everyMs: 500 },
  });
  const { lines, published, kills, stops, rebalancedMs } = disturbed;
  const refused = lines.filter((line) => line.refused !== undefined).length;
  const deliveries = lines.filter(({ data }) => data !== undefined).length;
  console.log(
    `${published.length} events, ${deliveries} deliveries, ${kills} kills, ${stops} stops, ` +
      `${refused} refused; shares whole again after ${rebalancedMs.map(Math.round).join(", ")} ms`,
  );
  expect(findViolations(disturbed)).toEqual([]);
  expect(new Set(lines.flatMap((line) => line.refused ?? []))).toEqual(
    refused === 0 ? new Set() : new Set(["lease-lost"]),
  );
  expect(Math.max(...rebalancedMs)).toBeLessThan((LEASE_SECONDS + 2) * 1_000);
  expect(Math.min(kills, stops)).toBeGreaterThan(0);
}, 200_000);
