import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { NAME, openArchive, type Through } from "../archive/archive-world.ts";

type World = Awaited<ReturnType<typeof openArchive>>;
const LOG = { view: "log", format: "ndjson" } as const;

/** Returns the numbers of the events in the recorded parts of an export. */
async function exported({ ledger, bucket }: World, id: string): Promise<number[]> {
  const { parts, status } = await ledger.getExport(defaultTenant, NAME, id, { limit: 1_000 });
  expect(status).toBe("done");
  return parts.flatMap(({ object }) => {
    const text = gunzipSync(bucket.stored.get(object)?.body ?? new Uint8Array()).toString();
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).data.number);
  });
}

/** Opens a stream whose export has two parts. */
async function openLong(): Promise<World> {
  const world = await openArchive();
  for (let n = 0; n < 10; n++) await world.publish(10, 100_000);
  return world;
}

const idOf = ({ store }: World) =>
  String(store.items().find(({ pk }) => pk === "EXPORTS")?.id ?? "");

describe("an export whose process is killed", () => {
  it("[export.parts] is finished by the next one, with every event once", {
    timeout: 120_000,
  }, async () => {
    for (let at = 0, killed = true; killed; at += 3) {
      const world = await openLong();
      let requests = 0;
      killed = false;
      const through: Through = async (run) => {
        if (requests++ < at) return run();
        killed = true;
        throw new Error("killed");
      };
      const dying = world.openLedger(2, through);
      await dying.createExport(defaultTenant, NAME, LOG).catch(() => {});
      const id = idOf(world);
      if (id === "") continue;
      expect(await exported(world, id), `request ${at}`).toEqual(world.published);
    }
  });
});

describe("an export with several runs at the same time", () => {
  it("[export.parts] has every event once", { timeout: 60_000 }, async () => {
    const world = await openLong();
    let isHeld = true;
    const through: Through = async (run, name) => {
      if (isHeld && name.startsWith("create")) throw new Error("held");
      return run();
    };
    const first = world.openLedger(2, through);
    await first.createExport(defaultTenant, NAME, LOG).catch(() => {});
    isHeld = false;
    const id = idOf(world);
    const runs = [first, world.openLedger(3), world.openLedger(4)].map((ledger) =>
      ledger.getExport(defaultTenant, NAME, id, { limit: 10 }),
    );
    await Promise.all(runs);
    expect(await exported(world, id)).toEqual(world.published);
  });

  it("[export.expire] leaves nothing in the bucket when it is removed", async () => {
    const world = await openLong();
    const { id } = await world.ledger.createExport(defaultTenant, NAME, LOG);
    expect(world.bucket.stored.size).toBeGreaterThan(1);
    await world.ledger.deleteExport(defaultTenant, NAME, id);
    world.bucket.setFaults((operation) => (operation === "remove" ? { "slow-down": 1 } : {}));
    expect(await world.ledger.sweepExports({ budgetMs: 60_000 })).toHaveLength(1);
    world.bucket.setFaults();
    expect(await world.ledger.sweepExports({ budgetMs: 60_000 })).toEqual([]);
    expect(world.bucket.stored.size).toBe(0);
    expect(idOf(world)).toBe("");
  });
});

it("[export.limit] ended exports whose objects nothing removes have a limit, too", async () => {
  const { ledger, publish } = await openArchive();
  await publish(1);
  const create = () => ledger.createExport(defaultTenant, NAME, LOG);
  for (let n = 0; n < 90; n++) await ledger.deleteExport(defaultTenant, NAME, (await create()).id);
  await expect(create()).rejects.toMatchObject({ code: "too-many-exports" });
  expect(await ledger.sweepExports({ budgetMs: 60_000 })).toEqual([]);
  expect(await create()).toMatchObject({ status: "done" });
});
