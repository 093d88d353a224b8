import { describe, expect, it } from "vitest";
import type { Bootstrap } from "../../../packages/core/src/model/snapshot-progress.ts";
import type { OffsetRow } from "../../../packages/core/src/table/offset.entity.ts";
import { LIFE, NAME, openSubscription, ROW, SUB, SUBSCRIPTION } from "./guarded-rows.ts";

describe("positions that are replaced", () => {
  const scan = (place: string): Bootstrap => ({
    ...{ run: "r", startedAt: 0, scan: place, starts: [5, 5], exactFrom: [5, 5] },
  });
  const [zero, one] = [0, 1].map((partition): OffsetRow => ({ ...ROW, partition }));
  const inSnapshot = [{ ...ROW, bootstrap: scan("03#k") }, one ?? ROW];
  const to = [zero ?? ROW, { ...ROW, partition: 1, next: 9 }];

  it("[sub.seek] only those of the generation that was read are, all of them and their snapshot", async () => {
    const { table, row } = await openSubscription(inSnapshot);
    const replace = (generation: number) =>
      table.lifecycle.replaceOffsets(LIFE, "sub", { generation }, to);
    expect(await replace(2)).toBe(false);
    expect(await row()).toEqual(inSnapshot[0]);
    expect(await replace(1)).toBe(true);
    expect([await row(), await row(1)]).toEqual(to);
  });

  it("[lease.fencing] a snapshot ends where it was read to, for the worker that holds it", async () => {
    const { table, row } = await openSubscription(inSnapshot);
    await table.leases.take({ ...SUB, partition: 0, token: 0 }, "a", {
      ...{ token: 1, nowMs: 0, until: 1_000 },
    });
    const end = (place: string, token: number) =>
      table.lifecycle.replaceOffsets(
        LIFE,
        "sub",
        { generation: 1, end: { scan: place, guard: { token, until: 2_000 } } },
        to,
      );
    expect(await end("02", 1)).toBe(false);
    expect(await end("03#k", 2)).toBe(false);
    expect((await row())?.bootstrap).toEqual(scan("03#k"));
    expect(await end("03#k", 1)).toBe(true);
    expect((await row())?.bootstrap).toBeUndefined();
  });

  it("[sub.patch] changed settings are counted once, and a new generation is everywhere", async () => {
    const { table, row } = await openSubscription([zero ?? ROW, one ?? ROW]);
    const named = await table.subscriptions.load(NAME, "1", "s");
    const change = (configured: number, generation: number) =>
      table.lifecycle.changeSubscription(
        LIFE,
        { ...SUBSCRIPTION, ...named },
        { config: SUBSCRIPTION.config, configured, widenedIn: undefined, generation },
        { generation: 1, partitions: 2 },
      );
    expect(await change(1, 2)).toBe(true);
    expect([await row(), await row(1)]).toEqual([
      { ...zero, generation: 2, configured: 1 },
      { ...one, generation: 2 },
    ]);
    // The settings have changed since they were read.
    expect(await change(1, 2)).toBe(false);
  });

  it("[sub.start] a subscription is created once, and only in the life that goes on", async () => {
    const { table } = await openSubscription([]);
    const create = (more: object) =>
      table.lifecycle.createSubscription(LIFE, { ...SUBSCRIPTION, ...more }, [ROW]);
    expect(await create({ uid: "other" })).toBe(false);
    expect(await create({ name: "ended", streamUid: "0" })).toBe(false);
    expect(await create({ name: "next", uid: "next" })).toBe(true);
  });
});
