import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { systemClock } from "@eventledger/core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createRowKinds } from "../../packages/core/src/table/row-kinds.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { type LocalServer, startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { type Answered, ask, knownStreams, lasting } from "./ask.ts";
import { goOn } from "./go-on.ts";
import { goOnLater } from "./later.ts";
import { FIRST_RELEASE, loadStored, putRows, storedCommits } from "./stored.ts";

const HOUR_MS = 3_600_000;

/**
 * Kinds of rows that need a bucket, a pusher, an hour that is over or an erasure that is under way.
 * The story has none.
 */
const NOT_TOLD = [
  ...["export", "openErasure", "published", "push", "pushBell", "pushFailure", "pushRetry"],
  ...["segment"],
];
/** The kinds of rows that the first release does not know. */
const LATER = ["changeList", "changes", "deletion", "erasure", "quota", "used"];

/** These tests run today's code on rows that earlier code wrote and record.ts saved. */
describe.each(storedCommits())("rows that were written by %s", (commit) => {
  const { rows, notes, later, recordedAtMs, ...stored } = loadStored(commit);
  const { tableName = `old-${randomUUID()}` } = stored;
  const client = new DynamoDBClient(localAws(inject("dynamoEndpoint")));
  let sinceMs = 1_000;
  let opened: OpenLedger;
  let server: LocalServer;
  const look = (one: { asked: Parameters<typeof ask>[1] }) => ask(server.url, one.asked);

  beforeAll(async () => {
    await putRows(client, tableName, rows);
    // Retention, leases and receipts expire, so the clock is set to a second after the rows were
    // written.
    const began = Date.now();
    const now = () => recordedAtMs + sinceMs + (Date.now() - began);
    opened = openLedger({
      endpoint: inject("dynamoEndpoint"),
      region: LOCAL_REGION,
      tableName,
      adminKey: notes.adminKey,
      cursorKey: notes.cursorKey,
      clock: { ...systemClock, now },
    });
    server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  });
  afterAll(async () => {
    await server?.stop();
    opened?.close();
    client.destroy();
  });

  it("the rows are of every kind that the story tells of, except kinds that came later", () => {
    const kinds = Object.keys(createRowKinds({} as never));
    const stored = new Set(rows.map((row) => row._e?.S));
    const missing = later === undefined ? [...LATER, ...NOT_TOLD] : NOT_TOLD;
    expect(kinds.filter((kind) => !stored.has(kind))).toEqual(missing.toSorted());
  });

  it("every request is answered as before: streams, pages, cursors, subscriptions, states, keys", async () => {
    for (const one of notes.seen) {
      const { status, body } = await look(one);
      const { method = "GET", path } = one.asked;
      const known = lasting(knownStreams(body, one.answer.body));
      expect({ status, body: known }, `${method} ${path}`).toMatchObject(asItWas(one.answer));
    }
  });

  it("everything continues: keys, receipts, positions, leases, parking, snapshots, both lives", async () => {
    await goOn(server.url, notes, { consumes: commit === FIRST_RELEASE ? "all" : "polls" });
  });

  it("[difference.list] changes of partitions, differences and parts of lists continue", async ({
    skip,
  }) => {
    if (later === undefined) return skip("the first release does not know them");
    await goOnLater(server.url, notes.adminKey, later);
  });

  it("[partitions.cursors] an old stream gets other partitions, and everything continues", async () => {
    const key = notes.adminKey;
    const send = async (method: string, path: string, body?: unknown) => {
      const answer = await ask(server.url, { method, path, key, ...(body ? { body } : {}) });
      expect(answer.status, `${method} ${path}`).toBeLessThan(300);
      // biome-ignore lint/suspicious/noExplicitAny: only some members are looked at.
      return answer.body as any;
    };
    const reader = "/streams/orders/subscriptions/reader";
    const { events: all, cursor } = await send("GET", "/streams/orders/events?limit=1000");
    const read = await send("GET", `${reader}/poll?limit=1000`);
    await send("POST", `${reader}/commit`, { cursor: read.cursor });
    const changed = await send("PATCH", "/streams/orders", { partitions: 3 });
    expect(changed).toMatchObject({
      partitions: 3,
      epochs: [{ partitions: 1 }, { partitions: 3 }],
    });
    const events = ["a", "b", "new"].map((of) => ({ key: of, data: { n: "later" } }));
    const receipt = await send("POST", "/streams/orders/events", { events });
    const last = all.at(-1).sequence;
    for (const { sequence } of receipt.events) expect(sequence).toBeGreaterThan(last);
    const after = await send("GET", `/streams/orders/events?from=${cursor}`);
    expect(after.events).toHaveLength(events.length);
    expect((await send("GET", `${reader}/poll`)).events).toHaveLength(events.length);
    for (const { asked, answer } of notes.keyed) {
      if (!asked.path.startsWith("/streams/orders/")) continue;
      const again = await ask(server.url, asked);
      expect(again.status).toBe(200);
      expect(lasting(again.body)).toMatchObject(lasting(answer.body) as object);
    }
    expect(await send("POST", "/streams/orders/compact", {})).toMatchObject({ done: true });
    expect(await send("GET", "/streams/orders/compacted/new")).toMatchObject({
      data: { n: "later" },
    });
  });

  it("the rows are compacted and swept, and deleted things are removed", async () => {
    const swept = await opened.ledger.sweep();
    expect(swept).toMatchObject({ stuck: [] });
    sinceMs += HOUR_MS;
    expect(await opened.ledger.sweep()).toMatchObject({ stuck: [], livesRemoved: 2, done: true });
  });
});

/** A problem is identified by its code. Its texts may change. */
function asItWas({ status, body }: Answered): Answered {
  if (status < 400) return { status, body: lasting(body) };
  const { code } = body as { code: string };
  return { status, body: { code } };
}
