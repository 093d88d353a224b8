import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openArchivedTarget } from "./archived-target.ts";

/** These tests export over HTTP, with the store and the S3 server of the local stack. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let aheadMs = 0;
const { api, opened, bucket, close } = await openArchivedTarget(() => aheadMs);
afterAll(close);

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    key: `k${(from + index) % 50}`,
    data: { n: from + index },
  }));

const create = async (stream: string, body: object = {}) => {
  const answer = await api.send({
    method: "POST",
    path: `/streams/${stream}/exports`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status === 202) {
    const { id } = described.Export.parse(answer.body);
    expect(answer.header("location")).toBe(`/streams/${stream}/exports/${id}`);
  }
  return answer;
};
const load = async (stream: string, id: string, query = "") =>
  described.Export.parse(
    (await api.send({ path: `/streams/${stream}/exports/${id}${query}` })).body,
  );
const done = async (stream: string, body: object = {}) => {
  let made = described.Export.parse((await create(stream, body)).body);
  while (made.status === "running") made = await load(stream, made.id);
  expect(made.status).toBe("done");
  return made;
};

/** Fetches the parts of an export as a client without a key does, and checks their hashes. */
async function linesOf({ parts }: { parts: readonly described.ExportPart[] }) {
  const lines: string[] = [];
  for (const part of parts) {
    const body = await (await fetch(part.url)).bytes();
    expect(createHash("sha256").update(body).digest("hex")).toBe(part.sha256);
    expect(body).toHaveLength(part.bytes);
    const text = gunzipSync(body).toString();
    expect(Buffer.byteLength(text)).toBe(part.rawBytes);
    const some = text.trimEnd().split("\n");
    expect(some).toHaveLength(part.events);
    lines.push(...some);
  }
  return lines;
}
const numbersOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).data.n);
const upTo = (to: number, from = 1) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const stored = async () => (await bucket.objects.list("", undefined, 1_000)).names;

describe("an export of events", () => {
  it("[export.parts] has every event once, exactly as a page prints it", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1, 1_000));
    await api.publish(stream, events(1_001, 1_500));
    const made = await done(stream);
    expect(made).toMatchObject({ view: "log", events: 1_500, partCount: 1, cursor: null });
    expect(made.parts[0]?.ranges).toEqual([{ partition: 0, first: 1, last: 1_500 }]);
    const lines = await linesOf(made);
    const { text } = await api.send({ path: `/streams/${stream}/events?limit=1000` });
    expect(text.startsWith(`{"events":[${lines.slice(0, 1_000).join(",")}],`)).toBe(true);
    expect(numbersOf(lines)).toEqual(upTo(1_500));
  });

  it("[export.range] ends where the log ended when it began, and `follow` goes on there", async () => {
    const stream = await api.newStream({ partitions: 3 });
    await api.publish(stream, events(1, 300));
    const whole = await done(stream);
    await api.publish(stream, events(301, 320));
    expect(
      numbersOf(await linesOf(await load(stream, whole.id))).toSorted((a, b) => a - b),
    ).toEqual(upTo(300));
    const { body } = await api.browse(stream, { from: whole.follow, limit: 100 });
    const rest = body.events.map(({ data }) => (data as { n: number }).n);
    expect(rest.toSorted((a, b) => a - b)).toEqual(upTo(320, 301));
    const partitions = whole.parts[0]?.ranges.map(({ partition }) => partition);
    expect(partitions?.toSorted()).toEqual([0, 1, 2]);
  });

  it("[export.range] has the events of its range, by sequence, time and cursor", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1, 100));
    const { body } = await api.browse(stream, { limit: 40 });
    const cut = await done(stream, { from: body.cursor, to: "61" });
    expect(numbersOf(await linesOf(cut))).toEqual(upTo(60, 41));
    // A place can be written as in other bodies, or as in a query.
    for (const from of [{ cursor: body.cursor }, { sequence: 41 }, "41"]) {
      const same = await done(stream, { from, to: { sequence: 61 } });
      expect(numbersOf(await linesOf(same))).toEqual(upTo(60, 41));
    }
    const timestamp = new Date(0).toISOString();
    expect((await done(stream, { from: { timestamp } })).events).toBe(100);
    const none = await done(stream, { from: new Date().toISOString() });
    expect(none).toMatchObject({ events: 0, partCount: 0, parts: [] });
    const late = await done(stream, { to: new Date(Date.now() + HOUR_MS).toISOString() });
    expect(late.events).toBe(100);
  });

  it("[export.archive] has events that only the archive has", async () => {
    const stream = await api.newStream({ archiveDays: 365, retentionHours: 1 });
    await api.publish(stream, events(1, 200));
    await api.send({ method: "POST", path: `/streams/${stream}/archive` });
    for (const ms of [2 * HOUR_MS, 11 * DAY_MS, 2 * HOUR_MS]) {
      aheadMs += ms;
      await api.compact(stream);
      expect((await opened.ledger.sweep()).stuck).toEqual([]);
    }
    await api.publish(stream, events(201, 210));
    expect(numbersOf(await linesOf(await done(stream)))).toEqual(upTo(210));
  });
});

describe("an export of the state", () => {
  it("[export.state] has the last event of each key, and `follow` has all that come after", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1, 500));
    await api.publish(stream, [{ key: "k7", data: null }]);
    await api.compact(stream);
    const made = await done(stream, { view: "state" });
    const listed = await api.send({ path: `/streams/${stream}/compacted?limit=500` });
    const lines = await linesOf(made);
    expect(lines).toHaveLength(49);
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      (listed.body as { items: unknown[] }).items,
    );
    expect(made.parts[0]?.ranges).toEqual([]);
    await api.publish(stream, events(501, 510));
    const { body } = await api.browse(stream, { from: made.follow, limit: 1_000 });
    const after = body.events.map(({ data }) => (data as { n: number } | null)?.n);
    expect(after.slice(-10)).toEqual(upTo(510, 501));
  });

  it("[export.state] takes no range, and needs a compacted stream", async () => {
    const stream = await api.newStream({ compaction: "none" });
    const refused = await create(stream, { view: "state", from: "earliest" });
    expect(refused.body).toMatchObject({ code: "invalid-request", errors: [{ pointer: "/from" }] });
    const made = described.Export.parse((await create(stream, { view: "state" })).body);
    expect(made).toMatchObject({ status: "failed", problem: "not-compacted" });
  });
});

describe("every export", () => {
  it("[export.parts] lists its parts page by page", async () => {
    const stream = await api.newStream();
    const text = "x".repeat(200_000);
    for (let n = 0; n < 90; n += 10) {
      await api.publish(
        stream,
        Array.from({ length: 10 }, (_, at) => ({ key: `k${at}`, data: { n: n + at, text } })),
      );
    }
    const made = await done(stream);
    expect(made.partCount).toBeGreaterThan(1);
    const found: described.ExportPart[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = await load(stream, made.id, `?limit=1${at}`);
      found.push(...page.parts);
      cursor = page.cursor;
    }
    expect(found.map(({ object }) => object)).toEqual(made.parts.map(({ object }) => object));
    const { cursor } = await load(stream, made.id, "?limit=1");
    const other = await done(stream);
    const path = `/streams/${stream}/exports/${other.id}?cursor=${cursor}`;
    const crossed = await api.send({ path });
    expect(crossed.body).toMatchObject({ code: "invalid-cursor", reason: "other-query" });
    expect(numbersOf(await linesOf({ parts: found }))).toEqual(upTo(89, 0));
  });

  it("[export.expire] is removed after three days, with its objects", async () => {
    const stream = await api.newStream();
    await api.publish(stream, events(1, 10));
    const made = await done(stream);
    const object = made.parts[0]?.object ?? "";
    expect(object).toMatch(new RegExp(`^default/${stream}/[^/]+/exports/${made.id}/`));
    expect(await stored()).toContain(object);
    aheadMs += 3 * DAY_MS;
    const gone = await api.send({ path: `/streams/${stream}/exports/${made.id}` });
    expect(gone.body).toMatchObject({ code: "export-not-found", status: 404 });
    expect(await opened.ledger.sweepExports({ budgetMs: 10_000 })).toEqual([]);
    expect(await stored()).not.toContain(object);
  });

  it("[export.expire] is removed when it or its stream is deleted", async () => {
    const [one, two] = [await api.newStream(), await api.newStream()];
    for (const stream of [one, two]) await api.publish(stream, events(1, 10));
    const made = await done(one);
    const path = `/streams/${one}/exports/${made.id}`;
    const other = await done(two);
    expect((await api.send({ method: "DELETE", path })).status).toBe(204);
    expect((await api.send({ method: "DELETE", path })).status).toBe(204);
    expect((await api.send({ path })).status).toBe(404);
    expect((await api.send({ path: `/streams/${one}/exports` })).body).toEqual({ exports: [] });
    await api.send({ method: "DELETE", path: `/streams/${two}` });
    expect(await opened.ledger.sweepExports({ budgetMs: 10_000 })).toEqual([]);
    const left = await stored();
    for (const { parts } of [made, other]) expect(left).not.toContain(parts[0]?.object);
  });

  it("[export.limit] a stream has at most ten", async () => {
    const stream = await api.newStream();
    for (let n = 0; n < 10; n++) expect((await create(stream)).status).toBe(202);
    const refused = await create(stream);
    expect(refused.body).toMatchObject({ code: "too-many-exports", status: 409 });
    const listed = described.ExportList.parse(
      (await api.send({ path: `/streams/${stream}/exports` })).body,
    );
    expect(listed.exports).toHaveLength(10);
    // A deleted export makes room at once, although its objects are removed later.
    const path = `/streams/${stream}/exports/${listed.exports[0]?.id}`;
    expect((await api.send({ method: "DELETE", path })).status).toBe(204);
    expect((await create(stream)).status).toBe(202);
    expect((await create(stream)).status).toBe(409);
  });

  it("an unknown id, a foreign one and a wrong place are refused", async () => {
    const [one, two] = [await api.newStream(), await api.newStream()];
    const { id } = await done(one);
    const foreign = await api.send({ path: `/streams/${two}/exports/${id}` });
    expect(foreign.body).toMatchObject({ code: "export-not-found" });
    const odd = await api.send({ path: `/streams/${two}/exports/abc` });
    expect(odd.body).toMatchObject({ code: "invalid-request" });
    for (const [body, pointer] of [
      [{ from: "tomorrow" }, "/from"],
      [{ to: "0" }, "/to"],
      [{ to: { sequence: 2 } }, "/to"],
      [{ from: 1 }, "/from"],
      [{ from: "bootstrap" }, "/from"],
      [{ format: "csv" }, "/format"],
      [{ view: "all" }, "/view"],
      [{ since: "earliest" }, "/since"],
    ] as const) {
      const refused = await create(two, body);
      expect(refused.body).toMatchObject({ code: "invalid-request", errors: [{ pointer }] });
    }
    // A refused request leaves no export that would count towards the limit.
    const listed = await api.send({ path: `/streams/${two}/exports` });
    expect(listed.body).toEqual({ exports: [] });
    const { body } = await api.browse(one, { limit: 1 });
    const crossed = await create(two, { from: body.cursor });
    expect(crossed.body).toMatchObject({ code: "invalid-cursor" });
  });
});
