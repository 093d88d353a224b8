import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterEach, describe, expect, it } from "vitest";
import { defaultTenant, LedgerError, type RawJson } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { watchDisk } from "../../packages/local/src/disk.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { findFreePort } from "../../packages/local/src/port.ts";
import { answersHttp } from "../../packages/local/src/store.ts";
import { defaultStoreKind, storeProgram } from "../../packages/local/src/store-program.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { startGuarded } from "../../packages/local/src/watchdog.ts";
import { createHurriedClock } from "../support/moved-clock.ts";

const OF = [defaultTenant, "orders"] as const;
const MIB = 1024 * 1024;
const CONFIG = { description: "", compaction: "key", partitions: 1 } as const;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/**
 * Opens a ledger on a store that keeps its files in a folder. `fileMax` limits the size of each
 * file, like a quota. `diskMax` is the reported size of the disk.
 */
async function openOnDisk({ fileMax, diskMax }: { fileMax?: number; diskMax?: number }) {
  const folder = mkdtempSync(join(tmpdir(), "eventledger-disk-"));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const program = storeProgram(defaultStoreKind());
  const port = await findFreePort();
  const limit = fileMax === undefined ? "" : `trap "" XFSZ; ulimit -f ${fileMax / 512};`;
  const run = [program.command, ...program.arguments(port, folder)];
  const store = await startGuarded("/bin/sh", ["-c", `${limit} exec "$@"`, "store", ...run]);
  closers.push(() => store.stop());
  const endpoint = `http://127.0.0.1:${port}`;
  while (!(await answersHttp(endpoint, 1_000))) await sleep(50);
  const admin = new DynamoDBClient(localAws(endpoint));
  await ensureTable(admin, "eventledger");
  admin.destroy();
  const disk = { max: diskMax ?? Number.POSITIVE_INFINITY };
  const notices: string[] = [];
  const look = async () => ({ bavail: disk.max - sizeOf(folder), bsize: 1 });
  const opened = openLedger({
    endpoint,
    region: LOCAL_REGION,
    tableName: "eventledger",
    adminKey: "admin",
    cursorKey: "cursor",
    clock: createHurriedClock(),
    hasRoomFor: watchDisk(folder, (line) => notices.push(line), look),
  });
  closers.push(() => opened.close());
  const { ledger } = opened;
  const config = { ...CONFIG, name: "orders", retentionHours: 360, archiveDays: null };
  await ledger.createStream(defaultTenant, config);
  await ledger.createSubscription(...OF, { name: "s", start: "earliest" });
  return { ledger, disk, notices };
}

const sizeOf = (folder: string): number =>
  readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

const newEvent = (id: string) => {
  const data = JSON.stringify(randomBytes(20_000).toString("base64")) as RawJson;
  return [{ attributes: { key: "k", id }, data }];
};

type Ledger = Awaited<ReturnType<typeof openOnDisk>>["ledger"];

/** Publishes until a publish is refused. Returns the acknowledged ids and the refusal. */
async function publishUntilRefused(ledger: Ledger) {
  const acknowledged: string[] = [];
  for (let n = 0; n < 2_000; n++) {
    try {
      await ledger.publish(...OF, newEvent(`e${n}`));
      acknowledged.push(`e${n}`);
    } catch (error) {
      if (error instanceof LedgerError) return { acknowledged, refusal: error };
      throw error;
    }
  }
  throw new Error("the disk never got full");
}

async function readIds(ledger: Ledger): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for (let from = "earliest", done = false; !done; ) {
    const page = await ledger.browse(...OF, { from, limit: 1_000 });
    ids.push(...page.events.map(({ id }) => id));
    ({ cursor: from, caughtUp: done } = page);
  }
  return ids;
}

describe("a disk that is full", () => {
  it("[publish.unavailable] [health.deep] a full disk is reported before anything is written, also by deep health", async () => {
    const { ledger, disk, notices } = await openOnDisk({ diskMax: 8 * MIB });
    await ledger.checkTable();
    const { acknowledged, refusal } = await publishUntilRefused(ledger);
    const full = { code: "store-full" };
    expect(refusal).toMatchObject(full);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(notices).toEqual([expect.stringMatching(/is full/)]);
    await expect(ledger.checkTable()).rejects.toMatchObject(full);
    const once = newEvent("once");
    await expect(ledger.publish(...OF, once, { idempotencyKey: "key" })).rejects.toMatchObject(
      full,
    );
    await expect(ledger.deleteSubscription(...OF, "s")).rejects.toMatchObject(full);
    await expect(ledger.patchStream(...OF, { description: "x" })).rejects.toMatchObject(full);
    expect(await readIds(ledger)).toEqual(acknowledged);
    expect((await ledger.poll(...OF, "s", { limit: 5 })).events).toHaveLength(5);

    disk.max *= 2;
    await ledger.checkTable();
    expect(await ledger.publish(...OF, once, { idempotencyKey: "key" })).toMatchObject({
      replayed: false,
    });
    expect(await ledger.publish(...OF, once, { idempotencyKey: "key" })).toMatchObject({
      replayed: true,
    });
    expect(await readIds(ledger)).toEqual([...acknowledged, "once"]);
    expect(notices).toEqual([expect.stringMatching(/is full/), expect.stringMatching(/has room/)]);
  });

  it("[publish.unknown] [health.deep] a write that only the store refuses is never reported as failed, and deep health notices", async () => {
    const { ledger } = await openOnDisk({ fileMax: 4 * MIB });
    await ledger.checkTable();
    const { acknowledged, refusal } = await publishUntilRefused(ledger);
    expect(refusal).toMatchObject({ code: "outcome-unknown" });
    await expect(ledger.checkTable()).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await readIds(ledger)).toEqual(expect.arrayContaining(acknowledged));
  });
});
