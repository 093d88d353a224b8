import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { defaultTenant } from "../../packages/core/src/index.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import * as described from "../../packages/protocol/src/described/index.ts";
import { createTestTable } from "../support/test-table.ts";
import { ADMIN_KEY, openArchivedTarget } from "./archived-target.ts";
import { createClient } from "./client.ts";
import { refusal } from "./wire.ts";

/** These tests use the archive over HTTP, with the store and the S3 server of the local stack. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let aheadMs = 0;
const { api, opened, url, bucket, folder, close } = await openArchivedTarget(() => aheadMs);
afterAll(close);

/** Advances the time until all archived events have left the table. */
async function empty(stream: string): Promise<void> {
  for (const ms of [2 * HOUR_MS, (11 * DAY_MS) / 2, (11 * DAY_MS) / 2, 2 * HOUR_MS]) {
    aheadMs += ms;
    await api.compact(stream);
    const { stuck } = await opened.ledger.sweep();
    expect(stuck).toEqual([]);
  }
}

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    key: `k${(from + index) % 5}`,
    type: "t",
    headers: { n: String(from + index) },
    data: { n: from + index, text: "text ".repeat(20) },
  }));

const archiveNow = async (stream: string) =>
  described.ArchiveReceipt.parse(
    (await api.send({ method: "POST", path: `/streams/${stream}/archive` })).body,
  );

describe("an archived stream", () => {
  it("the metrics count segments, their bytes and cold reads, and show the lag", async () => {
    const stream = await api.newStream({ archiveDays: 365, retentionHours: 1 });
    const read = async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      const of = (name: string) => {
        const line = new RegExp(`^eventledger_${name} (\\S+)$`, "m").exec(page);
        return Number(line?.[1] ?? expect.fail(name));
      };
      return {
        segments: of("archived_segments_total"),
        bytes: of("archived_bytes_total"),
        reads: of("cold_reads_total"),
        lag: [of("archive_lag_events"), of("archive_lag_seconds")],
      };
    };
    await api.publish(stream, events(1, 10));
    await archiveNow(stream);
    await empty(stream);
    await api.browse(stream, { limit: 10 });
    const { archive } = await api.getStream(stream);
    expect(archive).toMatchObject({ segments: 1, events: 10, lag: { events: 0, seconds: 0 } });
    expect(await read()).toEqual({ segments: 1, bytes: archive?.bytes, reads: 1, lag: [0, 0] });
    await api.publish(stream, events(11, 12));
    await archiveNow(stream);
    // The next small segment is due in an hour.
    await api.publish(stream, events(13, 15));
    aheadMs += HOUR_MS / 2;
    await api.compact(stream);
    await opened.ledger.sweep();
    const { segments, lag } = await read();
    expect([segments, lag]).toEqual([2, [3, expect.closeTo(1_800, -2)]]);
    const seen = (await api.getStream(stream)).archive;
    expect(seen).toMatchObject({ segments: 2, events: 12, lag: { events: 3 } });
  });

  it("[archive.read] is the same, byte for byte, after its events have left the table", async () => {
    const stream = await api.newStream({ archiveDays: 365, retentionHours: 1 });
    await api.createSubscription(stream, { name: "audit" });
    for (let from = 1; from <= 3_000; from += 500)
      await api.publish(stream, events(from, from + 499));
    const first = await api.poll(stream, "audit", { limit: 10 });
    await api.commit(stream, "audit", first.body.cursor);
    const pages = async (query: object) => {
      const texts: string[] = [];
      for (let after: string | undefined; ; ) {
        const from = after === undefined ? query : { ...query, from: after };
        const { body } = await api.browse(stream, from);
        texts.push(...body.events.map((event) => JSON.stringify(event)));
        if (body.caughtUp) return texts;
        after = body.cursor;
      }
    };
    const queries = [
      { limit: 1_000 },
      { limit: 333, type: "t", keyPrefix: "k1" },
      { limit: 100, from: "1500", key: "k3" },
      { limit: 500, order: "desc", from: "latest" },
    ];
    const hot = [];
    for (const query of queries) hot.push(await pages(query));
    expect(await archiveNow(stream)).toMatchObject({ segments: 1, events: 3_000, done: true });
    await empty(stream);
    for (const [at, query] of queries.entries()) expect(await pages(query)).toEqual(hot[at]);
    await api.publish(stream, events(3_001, 3_010));
    const rest: number[] = [];
    for (let caughtUp = false; !caughtUp; ) {
      const { body } = await api.poll(stream, "audit", { limit: 1_000 });
      rest.push(...body.events.map(({ sequence }) => sequence));
      await api.commit(stream, "audit", body.cursor);
      ({ caughtUp } = body);
    }
    expect(rest).toEqual(Array.from({ length: 3_000 }, (_, index) => index + 11));
  });

  it("[archive.tier] a page of browsing says whether it has read the archive, and no other page does", async () => {
    const stream = await api.newStream({ archiveDays: 365, retentionHours: 1 });
    await api.createSubscription(stream, { name: "audit" });
    await api.publish(stream, events(1, 20));
    const tierOf = async (query: object) => {
      const { body } = await api.browse(stream, query);
      return [described.EventPage.parse(body).tier, body.events.length];
    };
    expect(await tierOf({})).toEqual(["hot", 20]);
    await archiveNow(stream);
    expect(await tierOf({})).toEqual(["hot", 20]);
    await empty(stream);
    await api.publish(stream, events(21, 30));
    expect(await tierOf({ from: "earliest" })).toEqual(["cold", 30]);
    expect(await tierOf({ from: "20" })).toEqual(["cold", 11]);
    expect(await tierOf({ from: "21" })).toEqual(["hot", 10]);
    expect(await tierOf({ from: "latest" })).toEqual(["hot", 0]);
    expect(await tierOf({ from: "5", until: "7" })).toEqual(["cold", 2]);
    expect(await tierOf({ type: "none" })).toEqual(["cold", 0]);
    expect(await tierOf({ order: "desc", limit: 10 })).toEqual(["hot", 10]);
    expect(await tierOf({ order: "desc", limit: 11 })).toEqual(["cold", 11]);
    expect(await tierOf({ last: 10 })).toEqual(["hot", 10]);
    expect(await tierOf({ last: 11 })).toEqual(["cold", 11]);
    expect(await tierOf({ sequence: 20 })).toEqual(["cold", 1]);
    expect(await tierOf({ sequence: 21 })).toEqual(["hot", 1]);
    expect((await api.poll(stream, "audit", { limit: 1 })).body).not.toHaveProperty("tier");
    const bootstrap = await api.send({ path: `/streams/${stream}/compacted` });
    expect(bootstrap.body).not.toHaveProperty("tier");
  });

  it("[archive.segments] zcat and wc read its objects", async () => {
    const stream = await api.newStream({ archiveDays: 365 });
    await api.publish(stream, events(1, 700));
    await archiveNow(stream);
    await api.publish(stream, events(701, 1_000));
    await archiveNow(stream);
    const listed = described.ArchiveSegmentList.parse(
      (await api.send({ path: `/streams/${stream}/archive` })).body,
    );
    expect(listed.segments.map(({ first, next }) => [first, next])).toEqual([
      [1, 701],
      [701, 1_001],
    ]);
    const files = await Promise.all(
      listed.segments.map(async ({ object, bytes }, at) => {
        const body = await (await fetch(await bucket.objects.signedUrl(object, 60))).bytes();
        expect(body).toHaveLength(bytes);
        const file = path.join(folder, `${at}.gz`);
        writeFileSync(file, body);
        return file;
      }),
    );
    const shell = (command: string) => execFileSync("bash", ["-c", command, "-", ...files]);
    expect(Number(shell('zcat "$@" | wc -l'))).toBe(1_000);
    const lines = shell('zcat "$@"').toString().trimEnd().split("\n");
    const { text } = await api.send({ path: `/streams/${stream}/events?limit=1000` });
    expect(text.startsWith(`{"events":[${lines.join(",")}],`)).toBe(true);
  });

  it("[cursor.query] a cursor of its segments continues no other list, nor that of a later life", async () => {
    const name = await api.newStream({ archiveDays: 365 });
    const other = await api.newStream({ archiveDays: 365 });
    for (const stream of [name, name, name, other, other]) {
      await api.publish(stream, events(1, 5));
      await archiveNow(stream);
    }
    const list = (stream: string, query: string) =>
      api.send({ path: `/streams/${stream}/archive?${query}` });
    const verify = async (stream: string, cursor: string) =>
      api.send({ method: "POST", path: `/streams/${stream}/archive/verify?cursor=${cursor}` });
    const { cursor: listed } = (await list(name, "limit=1")).body as { cursor: string };
    const { cursor } = await opened.ledger.verifyArchive(defaultTenant, name, undefined, {
      budgetMs: 0,
    });
    const verified = String(cursor);
    expect((await list(name, `cursor=${listed}`)).body).toMatchObject({ segments: [{}, {}] });
    expect((await verify(name, verified)).body).toMatchObject({ segments: 2, fault: null });
    const refused = { code: "invalid-cursor", reason: "other-query" };
    expect((await list(name, `cursor=${verified}`)).body).toMatchObject(refused);
    expect((await list(other, `cursor=${listed}`)).body).toMatchObject(refused);
    expect((await verify(other, verified)).body).toMatchObject(refused);
    await api.deleteStream(name);
    await api.createStream({ name, archiveDays: 365 });
    await api.publish(name, events(1, 5));
    await archiveNow(name);
    expect((await list(name, `cursor=${listed}`)).body).toMatchObject(refused);
    expect((await verify(name, verified)).body).toMatchObject(refused);
  });

  it("[archive.begin] a server without a bucket refuses an archive", async () => {
    const { endpoint, tableName } = await createTestTable();
    const keys = { adminKey: ADMIN_KEY, cursorKey: "the-cursor-key-of-the-archive" };
    const without = openLedger({ endpoint, tableName, region: "us-east-1", ...keys });
    const its = await startServer(without, { host: "127.0.0.1", port: 0 });
    const client = createClient({ baseUrl: its.url, apiKey: ADMIN_KEY });
    const problem = await refusal(client.newStream({ archiveDays: 1 }), "invalid-request");
    expect(problem.errors).toMatchObject([{ pointer: "/archiveDays" }]);
    await its.stop();
    without.close();
  });
});
