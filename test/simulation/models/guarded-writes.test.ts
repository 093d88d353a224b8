import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { nothingParked } from "../../../packages/core/src/model/parking.ts";
import type { ApiKeyRow } from "../../../packages/core/src/table/api-key.entity.ts";
import type { Batch } from "../../../packages/core/src/table/batch.ts";
import { LIFE, NAME, openSubscription, openTable, ROW, SUB, stream } from "./guarded-rows.ts";

/**
 * These tests check the conditions of writes against a state that an earlier or a late request has
 * left. Races decide which of them fails. Here each is tested alone.
 */

const keyOf = (id: string, hash: string): ApiKeyRow => ({
  id,
  tenant: defaultTenant,
  name: id,
  hash,
  former: [],
  scopes: ["read"],
  streams: ["*"],
  createdAt: 0,
  createdBy: "root",
  validUntil: 9e15,
});

describe("API keys", () => {
  it("[key.cascade] a key that is gone makes no other key", async () => {
    const { table } = openTable();
    expect(await table.access.createKey(keyOf("maker", "m"), undefined)).toBe(true);
    expect(await table.access.createKey(keyOf("child", "c"), "maker")).toBe(true);
    expect(await table.access.createKey(keyOf("orphan", "o"), "gone")).toBe(false);
    expect(await table.apiKeys.load("orphan")).toBeUndefined();
  });

  it("a rotation is complete when its own earlier try was carried out, and not otherwise", async () => {
    const { table, loseAnswers } = openTable();
    await table.access.createKey(keyOf("k", "first"), undefined);
    loseAnswers(1);
    const rotation = { hash: "second", former: [], rotatedAt: 1, validUntil: 9e15 };
    expect(await table.apiKeys.rotate("k", "first", rotation)).toBe(true);
    expect(await table.apiKeys.rotate("k", "first", { ...rotation, hash: "third" })).toBe(false);
    expect((await table.apiKeys.load("k"))?.hash).toBe("second");
  });
});

describe("leases", () => {
  const place = { ...SUB, partition: 0 };
  const taking = { token: 1, nowMs: 1_000, until: 2_000 };

  it("[lease.fencing] a lease is taken once it has ended, or has the end that was seen", async () => {
    const { table } = await openSubscription();
    const first = await table.leases.take({ ...place, token: 0 }, "a", taking);
    expect(first?.lease).toEqual({ owner: "a", token: 1, until: 2_000 });
    const next = { token: 2, nowMs: 1_500, until: 2_500 };
    const seen = { ...place, token: 1 };
    expect(await table.leases.take(seen, "b", next)).toBeUndefined();
    expect(await table.leases.take(seen, "b", { ...next, ended: 1_999 })).toBeUndefined();
    expect((await table.leases.take(seen, "b", { ...next, ended: 2_000 }))?.lease).toEqual({
      owner: "b",
      token: 2,
      until: 2_500,
    });
  });

  it("[lease.fencing] a worker does not take the lease of another one for its own", async () => {
    const { table, loseAnswers } = await openSubscription();
    loseAnswers(1);
    expect(await table.leases.take({ ...place, token: 0 }, "a", taking)).toBeDefined();
    expect(await table.leases.take({ ...place, token: 0 }, "b", taking)).toBeUndefined();
  });

  it("[lease.fencing] only its owner renews a lease and gives it up", async () => {
    const { table, row } = await openSubscription();
    await table.leases.take({ ...place, token: 0 }, "a", taking);
    const held = { ...place, token: 1 };
    expect(await table.leases.renew(held, "b", 9_000)).toBeUndefined();
    expect((await table.leases.renew(held, "a", 3_000))?.lease?.until).toBe(3_000);
    expect(await table.leases.giveUp(held, "b")).toBeUndefined();
    expect((await row())?.lease?.owner).toBe("a");
    const left = await table.leases.giveUp(held, "a");
    expect(left?.lease).toMatchObject({ token: 1 });
    expect(left?.lease?.owner).toBeUndefined();
  });

  it("[lease.leave] a worker that has left does not return with an older poll", async () => {
    const { table } = await openSubscription();
    const member = { consumer: "a", until: 1_000, left: undefined };
    expect(await table.members.put(LIFE, "sub", member)).toBe(true);
    expect(await table.members.put(LIFE, "sub", { ...member, left: "3" })).toBe(false);
  });
});

describe("parked keys", () => {
  const key = {
    ...{ id: 1, key: "k", from: 5, next: 5, batch: 1, reason: "", parkedAt: 0 },
    retrying: false,
  };
  const parking = { ...nothingParked, revision: 1, keys: [key] };

  it("[park.key] a change of an older state changes nothing, and a repeated one is known", async () => {
    const { table, row, loseAnswers } = await openSubscription();
    loseAnswers(1);
    expect((await table.parking.change(SUB, ROW, parking))?.parking).toEqual(parking);
    const other = { ...parking, keys: [{ ...key, key: "other" }] };
    expect(await table.parking.change(SUB, ROW, other)).toBeUndefined();
    expect((await row())?.parking).toEqual(parking);
    const freed = { ...nothingParked, revision: 2, releaseCount: 1 };
    expect((await table.parking.change(SUB, { ...ROW, parking }, freed))?.parking).toEqual(freed);
    const gone = { ...SUB, subscriptionUid: "gone" };
    expect(await table.parking.change(gone, ROW, parking)).toBeUndefined();
  });

  it("[park.skip] a change is made although the row no longer shows an event that was passed", async () => {
    const { table } = await openSubscription();
    const passed = { id: 1, key: "other", sequence: 4, reason: "", parkedAt: 0 };
    const changed = await table.parking.change(SUB, ROW, { ...parking, skipped: [passed] });
    expect(changed?.parking?.keys).toEqual([key]);
  });

  it("[park.max-deliveries] a delivery counts only at its own generation and offset", async () => {
    const { table, row } = await openSubscription();
    const delivery = { at: 5, times: 1, limit: 1, until: 6 };
    await table.parking.noteDelivery(SUB, { ...ROW, generation: 2 }, delivery);
    await table.parking.noteDelivery(SUB, { ...ROW, next: 4 }, delivery);
    expect((await row())?.delivery).toBeUndefined();
    await table.parking.noteDelivery(SUB, ROW, delivery);
    expect((await row())?.delivery).toEqual(delivery);
  });
});

describe("a restore", () => {
  const jump: Batch = {
    first: 5,
    count: 10,
    batchId: new Uint8Array(16),
    publishedAt: 0,
    kind: "jump",
    rawBytes: 0,
    payload: new Uint8Array(),
  };
  const mark = (id: string, at: number) => ({ id, at });

  it("jumps only from the checkpoint that it has read", async () => {
    const { table } = await openSubscription();
    const chain = { life: LIFE, partition: 0 };
    expect(await table.restores.jump(chain, jump, 4, { next: 15 })).toBe(false);
    expect((await table.checkpoints.load(LIFE, 0))?.next).toBe(5);
    expect(await table.restores.jump(chain, jump, 5, { next: 15 })).toBe(true);
    expect(await table.restores.jump(chain, jump, 15, { next: 25 })).toBe(false);
    expect((await table.checkpoints.load(LIFE, 0))?.next).toBe(15);
  });

  it("is complete once, in its turn, and only for the life that it has completed", async () => {
    const { table } = await openSubscription();
    const row = { name: NAME, uid: "1" };
    const restored = async () => (await table.streams.load(NAME))?.restored?.id;
    const second = { ...mark("r2", 2), name: "", before: [mark("r1", 1)] };
    await table.restores.complete(row, second);
    expect(await restored()).toBeUndefined();
    const first = { ...mark("r1", 1), name: "", before: [] };
    await table.restores.complete({ ...row, uid: "2" }, first);
    expect(await restored()).toBeUndefined();
    await table.restores.complete(row, first);
    expect(await restored()).toBe("r1");
    await table.restores.complete(row, { ...first, id: "other" });
    expect(await restored()).toBe("r1");
    await table.restores.complete({ ...row, uid: "2" }, second);
    expect(await restored()).toBe("r1");
    await table.restores.complete(row, second);
    expect(await restored()).toBe("r2");
  });

  it("notes its progress only in the life that it restores", async () => {
    const { table } = await openSubscription();
    const restoring = { id: "r", receiptsAfter: "k" };
    await table.restores.note({ name: NAME, uid: "2" }, restoring);
    expect((await table.streams.load(NAME))?.restoring).toBeUndefined();
    await table.restores.note({ name: NAME, uid: "1" }, restoring);
    expect((await table.streams.load(NAME))?.restoring).toEqual(restoring);
  });
});

it("[stream.delete] a late removal of a life leaves the next life of the name", async () => {
  const { table } = await openSubscription();
  await table.lifecycle.endStream(defaultTenant, LIFE, stream("1"), 0);
  await table.streams.remove(NAME, "0");
  expect((await table.streams.load(NAME))?.uid).toBe("1");
  await table.streams.remove(NAME, "1");
  expect(await table.streams.load(NAME)).toBeUndefined();
});
