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

/** The archive over HTTP, with the store and the S3 server of the local stack. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let aheadMs = 0;
const { api, opened, bucket, folder, close } = await openArchivedTarget(() => aheadMs);
afterAll(close);

/** Lets time pass, so that everything that the archive has leaves the table. */
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
