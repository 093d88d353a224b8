import { describe, expect, it } from "vitest";
import { createLedger, defaultTenant } from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import type { Item } from "../../dynamodb/value.ts";
import { HOUR_MS, NAME, type openArchive } from "../archive/archive-world.ts";
import { killAt, untilKilled } from "../archive/kill.ts";
import { afterErasing, begin, finish, KEY, leftOf, openErasable } from "./erasure-world.ts";

type Opened = Awaited<ReturnType<typeof openArchive>>;

/** Puts a copy of the table into use. The bucket is the present one. */
function restore({ world, bucket }: Opened, items: readonly Item[]) {
  const tableName = "restored";
  const nowMs = () => world.nowMs;
  const store = createFakeDynamo({ tableName, seed: 1, nowMs });
  store.load(items);
  const clock = { now: nowMs, monotonic: nowMs, sleep: async () => {} };
  const openLedger: Opened["openLedger"] = (number, through = (run) => run()) =>
    createLedger({
      client: {
        send: (command: object) =>
          through(() => (store.client() as never as Sender).send(command), "send"),
      } as never,
      tableName,
      clock,
      random: seededRandom(number),
      cursorKeys: [{ id: 1, secret: Buffer.from("archive") }],
      objects: bucket.objects(),
      objectsLock: true,
    });
  const ledger = openLedger(50);
  const rows: Opened["rows"] = (kind) =>
    store.items().filter(({ sk }) => String(sk).startsWith(kind));
  return { store, ledger, openLedger, rows };
}

type Sender = { send(command: object): Promise<never> };

/** Sweeps the restored table until every erasure is done. */
async function settle(opened: Opened, { ledger }: ReturnType<typeof restore>) {
  for (let tries = 0; tries < 6; tries++) {
    for (const failure of await ledger.sweepErasures({ budgetMs: 60_000 })) throw failure;
    for (const { error } of (await ledger.sweep()).stuck) throw error;
    opened.world.nowMs += HOUR_MS / 2;
  }
}

describe("[restore.erasures] an erasure that a restore of the table has undone", () => {
  it("is repeated from the bucket, and takes everything again", async () => {
    const opened = await openErasable();
    const before = await opened.readAll("earliest");
    const copy = opened.store.items();
    const { id } = await begin(opened.ledger);
    await finish(opened);
    const restored = restore(opened, copy);
    expect(leftOf({ ...opened, ...restored } as Opened)).not.toEqual([]);
    expect(await restored.ledger.completeRestore("monday")).toMatchObject({ done: true });
    await settle(opened, restored);
    expect(leftOf({ ...opened, ...restored } as Opened)).toEqual([]);
    const after = await opened.readAll("earliest", { by: restored.ledger });
    expect(after.slice(0, before.length)).toEqual(afterErasing(before));
    expect(after.slice(before.length)).toMatchObject([{ key: KEY, erasure: id }]);
    const receipt = await restored.ledger.getErasure(defaultTenant, NAME, id);
    expect(receipt).toMatchObject({ id, key: KEY, reason: "a model", status: "done" });
    const found = await restored.ledger.verifyErasure(defaultTenant, NAME, id, undefined);
    expect(found).toMatchObject({ found: null, cursor: null });
    const verified = await restored.ledger.verifyArchive(defaultTenant, NAME, undefined);
    expect(verified.fault).toBeNull();
  });

  it("is repeated wherever it was at that moment, and wherever it is killed then", async () => {
    for (const at of [3, 12, 22, 40]) {
      const opened = await openErasable();
      const before = await opened.readAll("earliest");
      const { through, isDead } = killAt(at, "after");
      await untilKilled(begin(opened.openLedger(2, through)), isDead);
      const copy = opened.store.items();
      await begin(opened.ledger, "k4");
      await finish(opened);
      const { erasures } = await opened.ledger.listErasures(defaultTenant, NAME, { limit: 10 });
      const restored = restore(opened, copy);
      const dying = killAt(at, "before");
      const first = restored.openLedger(60, dying.through).completeRestore("monday");
      await untilKilled(first, dying.isDead);
      await restored.ledger.completeRestore("monday");
      await settle(opened, restored);
      const keys = erasures.map(({ key }) => key);
      expect(keys).toContain("k4");
      const of = { ...opened, ...restored } as Opened;
      expect(leftOf(of, keys), `request ${at}`).toEqual([]);
      const after = await opened.readAll("earliest", { by: restored.ledger });
      expect(after.slice(0, before.length), `request ${at}`).toEqual(afterErasing(before, keys));
      const verified = await restored.ledger.verifyArchive(defaultTenant, NAME, undefined);
      expect(verified.fault).toBeNull();
    }
  });
});
