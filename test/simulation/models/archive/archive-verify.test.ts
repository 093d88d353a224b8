import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { chainHash } from "../../../../packages/core/src/archive/segment-plan.ts";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { codeOf, HOUR_MS, NAME, openArchive, TABLE } from "./archive-world.ts";

type Opened = Awaited<ReturnType<typeof openArchive>>;

/** Opens a stream with five segments of ten events. */
async function openFive(): Promise<Opened> {
  const opened = await openArchive();
  for (let n = 0; n < 5; n++) {
    await opened.publish(10, 50);
    opened.world.nowMs += HOUR_MS;
    await opened.ledger.archive(defaultTenant, NAME);
  }
  return opened;
}

const verify = ({ ledger }: Opened, cursor?: string) =>
  ledger.verifyArchive(defaultTenant, NAME, cursor);

const nameOf = ({ bucket }: Opened, at: number): string =>
  [...bucket.stored.keys()].toSorted()[at] ?? expect.fail();

/** Replaces the bytes of an object. */
function change({ bucket }: Opened, name: string, to: (body: Buffer) => Uint8Array): void {
  const object = bucket.stored.get(name) ?? expect.fail();
  bucket.stored.set(name, { ...object, body: to(Buffer.from(object.body)) });
}

const rowOf = (opened: Opened, at: number) =>
  opened.rows("SEGMENT#").toSorted((a, b) => String(a.sk).localeCompare(String(b.sk)))[at] ??
  expect.fail();

describe("the verification of an archive", () => {
  it("[archive.verify] an archive is as it was written, in one walk or in many", async () => {
    const opened = await openFive();
    const all = { segments: 5, events: 50, fault: null, cursor: null };
    expect(await verify(opened)).toMatchObject(all);
    let segments = 0;
    let cursor: string | undefined;
    do {
      const budget = { budgetMs: 0 };
      const part = await opened.ledger.verifyArchive(defaultTenant, NAME, cursor, budget);
      segments += part.segments;
      cursor = part.cursor ?? undefined;
    } while (cursor !== undefined);
    expect(segments).toBe(5);
    const listed: number[] = [];
    do {
      const page = await opened.ledger.listSegments(defaultTenant, NAME, { limit: 2, cursor });
      listed.push(...page.segments.map(({ first }) => first));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual([1, 11, 21, 31, 41]);
  });

  it("[archive.verify] one flipped byte is found", async () => {
    const opened = await openFive();
    change(opened, nameOf(opened, 2), (body) => {
      body.writeUInt8(body.readUInt8(20) ^ 1, 20);
      return body;
    });
    expect((await verify(opened)).fault).toMatchObject({ reason: "changed", first: 21, next: 31 });
  });

  it("[archive.verify] a missing object is found", async () => {
    const opened = await openFive();
    opened.bucket.stored.delete(nameOf(opened, 4));
    const { fault, segments } = await verify(opened);
    expect(fault).toMatchObject({ reason: "missing", first: 41 });
    expect(segments).toBe(4);
  });

  it("[archive.verify] two objects that changed places are found", async () => {
    const opened = await openFive();
    const [one, two] = [nameOf(opened, 1), nameOf(opened, 3)];
    const first = opened.bucket.stored.get(one)?.body ?? expect.fail();
    const other = opened.bucket.stored.get(two)?.body ?? expect.fail();
    change(opened, one, () => other);
    change(opened, two, () => first);
    expect((await verify(opened)).fault).toMatchObject({ reason: "changed", first: 11 });
  });

  it.each([0, 2, 4])("[archive.verify] a forged segment is found (number %i)", async (at) => {
    const opened = await openFive();
    const row = rowOf(opened, at);
    const body = gzipSync(
      Array.from(
        { length: 10 },
        (_, n) =>
          `{"sequence":${at * 10 + n + 1},"publishedAt":"2026-01-01T00:00:00.000Z","id":"i","key":"k","data":0}\n`,
      ).join(""),
    );
    const sha256 = createHash("sha256").update(body).digest("hex");
    change(opened, String(row.object), () => body);
    const forged = { ...row, sha256, storedBytes: body.length } as never as Parameters<
      typeof chainHash
    >[0];
    const chain = chainHash({ ...forged, first: Number(row.f) });
    opened.store.load([{ ...row, ...forged, chain }] as never);
    const { fault } = await verify(opened);
    // The record itself is consistent. The forgery shows in the next record, or in the checkpoint.
    const first = at === 4 ? 41 : at * 10 + 11;
    expect(fault).toMatchObject({ reason: "out-of-chain", first });
  });

  it.each([
    { at: 0, reason: "out-of-chain", first: 11 },
    { at: 2, reason: "out-of-chain", first: 31 },
    { at: 4, reason: "missing", first: 41 },
  ])("[archive.verify] a removed record is found (number $at)", async ({ at, reason, first }) => {
    const opened = await openFive();
    const { pk, sk } = rowOf(opened, at);
    const deletion = new DeleteCommand({ TableName: TABLE, Key: { pk, sk } });
    await opened.store.client().send(deletion as never);
    expect((await verify(opened)).fault).toMatchObject({ reason, first });
  });

  it("[archive.days] events are kept for their days, and the rest is as it was written", async () => {
    const opened = await openArchive({ archiveDays: 3 });
    const { ledger, publish, pass, published, readAll, world } = opened;
    for (let day = 0; day < 5; day++) {
      await publish(10, 50);
      await pass(24 * HOUR_MS, 12 * HOUR_MS);
    }
    const kept = (await readAll("earliest")).map(({ sequence }) => sequence);
    expect(kept).toEqual(published.slice(kept[0] === 11 ? 10 : 20));
    expect(await codeOf(ledger.browse(defaultTenant, NAME, { from: "5", limit: 1 }))).toBe(
      "retention-passed",
    );
    expect((await readAll("latest", { order: "desc" })).at(-1)?.sequence).toBe(kept[0]);
    expect(await verify(opened)).toMatchObject({ fault: null, events: kept.length });
    const { archive } = await ledger.getStream(defaultTenant, NAME);
    expect(archive).toMatchObject({ earliestSequence: kept[0], events: kept.length });
    world.nowMs += HOUR_MS;
    await opened.patch(1);
    await ledger.sweep();
    expect((await readAll("earliest")).length).toBeLessThan(kept.length);
  });

  it("[archive.removed] objects and records go with their stream, and those of a later one stay", async () => {
    const opened = await openFive();
    const { ledger, bucket, pass, rows } = opened;
    await ledger.deleteStream(defaultTenant, NAME);
    const config = { name: NAME, description: "", compaction: "key", retentionHours: 1 } as const;
    await ledger.createStream(defaultTenant, { ...config, partitions: 1, archiveDays: 9 });
    await opened.publish(1);
    await ledger.archive(defaultTenant, NAME);
    expect(bucket.stored.size).toBe(6);
    expect(await verify(opened)).toMatchObject({ segments: 1, events: 1, fault: null });
    await pass(24 * HOUR_MS, 4 * HOUR_MS);
    expect(bucket.stored.size).toBe(1);
    expect(rows("SEGMENT#")).toHaveLength(1);
    expect(await verify(opened)).toMatchObject({ segments: 1, events: 1, fault: null });
  });

  it("[archive.now] everything that is durable is archived at once, and only in an archived stream", async () => {
    const { ledger, publish, patch } = await openArchive({ archiveDays: null });
    await publish(10);
    expect(await codeOf(ledger.archive(defaultTenant, NAME))).toBe("not-archived");
    await patch(10);
    expect((await ledger.getStream(defaultTenant, NAME)).archive?.lag.events).toBe(10);
    const none = await ledger.archive(defaultTenant, NAME, { budgetMs: 0 });
    expect(none).toMatchObject({ segments: 0, done: false, watermarkLag: { events: 10 } });
    const receipt = await ledger.archive(defaultTenant, NAME);
    expect(receipt).toMatchObject({ segments: 1, events: 10, done: true });
    expect(receipt.watermarkLag).toEqual({ events: 0, seconds: 0 });
  });
});
