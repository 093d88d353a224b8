import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../packages/core/src/index.ts";
import { openArchive } from "../../packages/functions/src/open-archive.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { type S3Server, startS3Server } from "../../packages/local/src/s3/server.ts";
import { createTestTable } from "../support/test-table.ts";
import { type Client, createClient } from "./client.ts";
import { refusal } from "./wire.ts";

/**
 * These tests use locked archives over HTTP, with the store and the S3 server of the local stack.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ADMIN_KEY = "the-admin-key-of-the-locks";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
/**
 * The offset of the clock of the bucket and of the ledger. Requests to the bucket are signed with
 * real time.
 */
let aheadMs = 0;
let s3: S3Server;
let opened: OpenLedger;
let server: Awaited<ReturnType<typeof startServer>>;
let api: Client;
let bucket: ReturnType<typeof openArchive>;

const open = async (locks: boolean) => {
  const { endpoint, tableName } = await createTestTable();
  const archive = { bucket: "archive", locks, endpoint: s3.endpoint, credentials };
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const keys = { adminKey: ADMIN_KEY, cursorKey: "the-cursor-key-of-the-locks" };
  const ledger = openLedger({ endpoint, tableName, region: "us-east-1", clock, ...keys, archive });
  return { archive, ledger };
};

beforeAll(async () => {
  s3 = await startS3Server({ bucket: "archive", credentials });
  const { archive, ledger } = await open(true);
  opened = ledger;
  bucket = openArchive(archive, { region: "us-east-1", clock: systemClock });
  server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  api = createClient({ baseUrl: server.url, apiKey: ADMIN_KEY });
});
afterAll(async () => {
  await server.stop();
  opened.close();
  bucket.close();
  await s3.stop();
});

const stored = async (stream: string) =>
  (await bucket.objects.list(`default/${stream}/`, undefined, 1_000)).names;

describe("a locked archive", () => {
  it.each(["governance", "compliance"] as const)(
    "[archive.lock] with %s outlives its stream until its date, and nothing else does",
    async (archiveLock) => {
      const stream = await api.newStream({ archiveDays: 30, archiveLock });
      expect(await api.getStream(stream)).toMatchObject({ archiveDays: 30, archiveLock });
      await api.publish(stream, [{ key: "a", data: 1 }]);
      await api.send({ method: "POST", path: `/streams/${stream}/archive` });
      const objects = await stored(stream);
      expect(objects).toHaveLength(1);
      await expect(bucket.objects.remove(objects)).rejects.toMatchObject({ names: objects });
      const deleted = await api.send({ method: "DELETE", path: `/streams/${stream}` });
      const { archiveKeptUntil = "" } = deleted.body as { archiveKeptUntil?: string };
      expect(Date.parse(archiveKeptUntil) - Date.now() - aheadMs).toBeGreaterThan(
        30 * DAY_MS - HOUR_MS,
      );
      const again = await api.send({ method: "DELETE", path: `/streams/${stream}` });
      expect(again.body).toMatchObject({ archiveKeptUntil });
      aheadMs += DAY_MS;
      const swept = await opened.ledger.sweep();
      expect(swept).toMatchObject({ stuck: [], livesRemoved: 0 });
      expect(swept.rowsRemoved).toBeGreaterThan(0);
      expect(await stored(stream)).toEqual(objects);
      expect(await opened.ledger.sweep()).toMatchObject({ stuck: [], rowsRemoved: 0 });
    },
  );

  it("[archive.lock-change] a lock applies to what is archived after the change, and only grows", async () => {
    const stream = await api.newStream({ archiveDays: 30 });
    const archiveOne = async () => {
      const before = await stored(stream);
      await api.publish(stream, [{ key: "a", data: 1 }]);
      await api.send({ method: "POST", path: `/streams/${stream}/archive` });
      return (await stored(stream)).filter((name) => !before.includes(name));
    };
    const change = (body: object) => api.patchStream(stream, body as never);
    const refused = async (body: object, pointer: string) => {
      const problem = await refusal(change(body), "invalid-request");
      expect(problem.errors).toMatchObject([{ pointer }]);
    };
    const free = await archiveOne();
    expect((await change({ archiveLock: "governance" })).body).toMatchObject({
      archiveLock: "governance",
    });
    const locked = await archiveOne();
    await expect(bucket.objects.remove(locked)).rejects.toMatchObject({ names: locked });
    await bucket.objects.remove(free);

    await refused({ archiveDays: 29 }, "/archiveDays");
    await refused({ archiveLock: null }, "/archiveLock");
    await refused({ archiveLock: "off" }, "/archiveLock");
    await refused({ archiveDays: null, archiveLock: "compliance" }, "/archiveLock");
    expect((await change({ archiveDays: 31, archiveLock: "compliance" })).body).toMatchObject({
      archiveDays: 31,
      archiveLock: "compliance",
    });
    await refused({ archiveLock: "governance" }, "/archiveLock");
    expect((await change({ archiveLock: "compliance" })).status).toBe(200);

    expect((await change({ archiveDays: null })).status).toBe(200);
    await refused({ archiveLock: "compliance" }, "/archiveLock");
    await refused({ archiveDays: 30 }, "/archiveDays");
    expect((await change({ archiveDays: 31 })).status).toBe(200);
    expect(await api.getStream(stream)).toMatchObject({
      archiveDays: 31,
      archiveLock: "compliance",
    });
  });

  it("[archive.lock] needs a bucket with object lock, and days", async () => {
    const alone = await refusal(api.newStream({ archiveLock: "governance" }), "invalid-request");
    expect(alone.errors).toMatchObject([{ pointer: "/archiveLock" }]);
    const { ledger } = await open(false);
    const its = await startServer(ledger, { host: "127.0.0.1", port: 0 });
    const client = createClient({ baseUrl: its.url, apiKey: ADMIN_KEY });
    const wanted = { archiveDays: 1, archiveLock: "governance" } as const;
    const problem = await refusal(client.newStream(wanted), "invalid-request");
    expect(problem.errors).toMatchObject([{ pointer: "/archiveLock" }]);
    const stream = await client.newStream({ archiveDays: 1 });
    const change = client.patchStream(stream, { archiveLock: "governance" });
    const later = await refusal(change, "invalid-request");
    expect(later.errors).toMatchObject([{ pointer: "/archiveLock" }]);
    await its.stop();
    ledger.close();
  });
});
