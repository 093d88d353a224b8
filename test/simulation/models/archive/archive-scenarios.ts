import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import type { Scenario } from "../subscription/scenario.ts";
import { codeOf, DAY_MS, HOUR_MS, NAME, numbersOf, openArchive } from "./archive-world.ts";

/** The scenarios of a stream with an archive, on a table and in a bucket without faults. */
export const archiveScenarios: readonly Scenario[] = [
  {
    name: "[archive.read] is read from its first event to its last when the table has lost most of it",
    play: readEverything,
  },
  {
    name: "[archive.segments] has its events in gzip of one line each, as a poll prints them",
    play: printedLines,
  },
  {
    name: "[archive.floor] keeps its rows whatever the clock says while the bucket does not answer",
    play: bucketSilent,
  },
  {
    name: "[archive.stop] keeps what is archived until its days are over, and frees its rows",
    play: stopped,
  },
  {
    name: "[archive.stop] begins again at the floor when events after the archive are gone",
    play: begunAgain,
  },
  {
    name: "[archive.begin] begins with what the table still has when it is switched on",
    play: switchedOn,
  },
  { name: "[archive.removed] goes with its stream", play: removed },
  {
    name: "[archive.read] is where a subscription goes on after its events have left the table",
    play: subscribed,
  },
  {
    name: "[archive.floor] keeps batches for ten days, because publishes look back for them",
    play: keptForClaims,
  },
  {
    name: "[archive.floor] keeps batches for the retention, although the archive has them",
    play: keptForRetention,
  },
  { name: "[archive.now] writes a small segment once an hour only", play: hourly },
  {
    name: "[archive.floor] is held by the checkpoint, whatever a sweeper thinks",
    play: staleSweeper,
  },
];

async function readEverything(): Promise<void> {
  const opened = await openArchive();
  const { ledger, publish, pass, readAll, rows, published, world, coldReads } = opened;
  const moments: number[] = [];
  for (let hour = 0; hour < 8; hour++) {
    moments.push(world.nowMs);
    await publish(120, 500);
    await pass(HOUR_MS);
  }
  assert.equal(coldReads(), 0);
  await pass(12 * DAY_MS, DAY_MS);
  await publish(5);
  assert.ok(rows("SEQ#").length < 3);
  assert.ok(rows("SEGMENT#").length > 5);
  for (const limit of [1_000, 33, 7]) {
    assert.deepEqual(numbersOf(await readAll("earliest", { limit })), published);
  }
  const back = await readAll("latest", { limit: 37, order: "desc" });
  assert.deepEqual(numbersOf(back).toReversed(), published);
  for (const hour of [0, 1, 4, 7]) {
    const from = new Date(moments[hour] ?? 0).toISOString();
    assert.deepEqual(numbersOf(await readAll(from)), published.slice(hour * 120));
  }
  for (const sequence of [1, 2, 500, 960, 961]) {
    assert.deepEqual(numbersOf(await readAll(String(sequence))), published.slice(sequence - 1));
    const one = await ledger.browse(defaultTenant, NAME, { sequence, limit: 1 });
    assert.deepEqual(numbersOf(one.events), [sequence]);
  }
}

async function printedLines(): Promise<void> {
  const { ledger, publish, bucket, published } = await openArchive();
  await publish(1_000, 300);
  await publish(1_000, 300);
  const { segments, events, done, watermarkLag } = await ledger.archive(defaultTenant, NAME);
  assert.deepEqual([segments, events, done], [1, 2_000, true]);
  assert.deepEqual(watermarkLag, { events: 0, seconds: 0 });
  const [[name, object] = assert.fail()] = [...bucket.stored];
  assert.match(name, /^default\/orders\/[^/]+\/P0\/0{13}1-0{10}2001-[0-9a-f]{64}\.ndjson\.gz$/);
  const lines = gunzipSync(object.body).toString().trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).data.number),
    published,
  );
  assert.equal((await ledger.archive(defaultTenant, NAME)).segments, 0);
}

async function bucketSilent(): Promise<void> {
  const { ledger, publish, store, bucket, world, readAll, rows, published } = await openArchive();
  await publish(10);
  bucket.setFaults(() => ({ "slow-down": 1 }));
  for (let day = 0; day < 40; day++) {
    world.nowMs += DAY_MS;
    await ledger.sweep();
    store.expireItems({ lateMs: 0 });
  }
  assert.equal(rows("SEQ#").length, 1);
  assert.deepEqual(numbersOf(await readAll("earliest")), published);
  bucket.setFaults();
  await ledger.sweep();
  assert.equal(rows("SEQ#").length, 1);
  await ledger.sweep();
  assert.equal(rows("SEQ#").length, 0);
  assert.deepEqual(numbersOf(await readAll("earliest")), published);
}

async function stopped(): Promise<void> {
  const opened = await openArchive({ archiveDays: 20 });
  const { ledger, publish, patch, pass, readAll, rows, published, bucket } = opened;
  await publish(10);
  await pass(2 * HOUR_MS);
  await patch(null);
  assert.ok(!("archiveDays" in (await ledger.getStream(defaultTenant, NAME))));
  await publish(10);
  assert.deepEqual(numbersOf(await readAll("earliest")), published);
  await pass(15 * DAY_MS, DAY_MS);
  assert.deepEqual(await readAll("earliest"), []);
  const { events, cursor } = await ledger.browse(defaultTenant, NAME, { from: "1", limit: 100 });
  assert.deepEqual(numbersOf(events), published.slice(0, 10));
  const on = ledger.browse(defaultTenant, NAME, { from: cursor, limit: 1 });
  assert.equal(await codeOf(on), "retention-passed");
  const back = await ledger.browse(defaultTenant, NAME, {
    from: cursor,
    limit: 100,
    order: "desc",
  });
  assert.deepEqual(numbersOf(back.events).toReversed(), published.slice(0, 10));
  assert.equal(rows("SEQ#").length, 1);
  await pass(10 * DAY_MS, DAY_MS);
  assert.equal(bucket.stored.size, 0);
  assert.equal(rows("SEGMENT#").length, 0);
  const first = ledger.browse(defaultTenant, NAME, { from: "1", limit: 1 });
  assert.equal(await codeOf(first), "retention-passed");
  await pass(10 * DAY_MS, DAY_MS);
  assert.equal(rows("SEQ#").length, 0);
}

async function begunAgain(): Promise<void> {
  const { ledger, publish, patch, pass, readAll, published } = await openArchive();
  await publish(10);
  await pass(2 * HOUR_MS);
  await patch(null);
  await publish(10);
  await pass(12 * HOUR_MS);
  await publish(10);
  await patch(30);
  await pass(12 * DAY_MS, DAY_MS);
  assert.deepEqual(numbersOf(await readAll("earliest")), published.slice(20));
  const old = ledger.browse(defaultTenant, NAME, { from: "5", limit: 1 });
  assert.equal(await codeOf(old), "retention-passed");
  const { segments } = await ledger.listSegments(defaultTenant, NAME, { limit: 10 });
  assert.deepEqual(
    segments.map(({ first }) => first),
    [1, 21],
  );
  const { fault } = await ledger.verifyArchive(defaultTenant, NAME, undefined);
  assert.equal(fault, null);
}

async function switchedOn(): Promise<void> {
  const opened = await openArchive({ archiveDays: null, retentionHours: 48 });
  const { ledger, publish, patch, pass, readAll, published } = opened;
  await publish(10);
  await pass(3 * DAY_MS, DAY_MS);
  await publish(10);
  await pass(HOUR_MS);
  await patch(100);
  await publish(10);
  await pass(20 * DAY_MS, DAY_MS);
  assert.deepEqual(numbersOf(await readAll("earliest")), published.slice(10));
  const { archive } = await ledger.getStream(defaultTenant, NAME);
  assert.deepEqual([archive?.earliestSequence, archive?.events, archive?.lag.events], [11, 20, 0]);
}

async function removed(): Promise<void> {
  const { ledger, publish, pass, bucket, rows } = await openArchive();
  await publish(10);
  await ledger.archive(defaultTenant, NAME);
  assert.equal(bucket.stored.size, 1);
  await ledger.deleteStream(defaultTenant, NAME);
  await pass(DAY_MS);
  assert.equal(bucket.stored.size, 0);
  assert.equal(rows("SEGMENT#").length, 0);
}

async function subscribed(): Promise<void> {
  const { ledger, publish, pass, published } = await openArchive({ partitions: 3 });
  const config = { name: "audit", start: "earliest", leaseSeconds: 30 } as const;
  await ledger.createSubscription(defaultTenant, NAME, config);
  const poll = () => ledger.poll(defaultTenant, NAME, "audit", { limit: 10, waitSeconds: 0 });
  await publish(100);
  const first = await poll();
  await ledger.commit(defaultTenant, NAME, "audit", first.cursor as never);
  const seen = numbersOf(first.events);
  await publish(100);
  await pass(15 * DAY_MS, DAY_MS);
  await publish(3);
  for (let caughtUp = false; !caughtUp; ) {
    const page = await poll();
    seen.push(...numbersOf(page.events));
    assert.ok(seen.length <= published.length, "a poll repeats events");
    await ledger.commit(defaultTenant, NAME, "audit", page.cursor as never);
    ({ caughtUp } = page);
  }
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    published,
  );
}

async function keptForClaims(): Promise<void> {
  const { publish, pass, rows } = await openArchive();
  await publish(10);
  await pass(9 * DAY_MS, DAY_MS);
  assert.equal(rows("SEQ#").length, 1);
  await pass(3 * DAY_MS, DAY_MS);
  assert.equal(rows("SEQ#").length, 0);
}

async function keptForRetention(): Promise<void> {
  const { publish, pass, rows, readAll, published, coldReads } = await openArchive({
    retentionHours: 480,
  });
  await publish(10);
  await pass(5 * DAY_MS, DAY_MS);
  await publish(10);
  await pass(17 * DAY_MS, DAY_MS);
  // The first batch is past the retention, and the second one is older than ten days.
  assert.equal(rows("SEQ#").length, 1);
  assert.equal(rows("SEGMENT#").length, 2);
  assert.deepEqual(numbersOf(await readAll("11")), published.slice(10));
  assert.equal(coldReads(), 0);
  assert.deepEqual(numbersOf(await readAll("earliest")), published);
}

async function hourly(): Promise<void> {
  const { publish, pass, rows } = await openArchive();
  for (let n = 0; n < 12; n++) {
    await publish(1);
    await pass(HOUR_MS / 12, HOUR_MS / 12);
  }
  assert.equal(rows("SEGMENT#").length, 1);
  await pass(HOUR_MS / 6, HOUR_MS / 12);
  assert.equal(rows("SEGMENT#").length, 2);
}

const IS_CHECKPOINT = /update .*CHECKPOINT/;

/**
 * Archiving begins between the moment when a sweeper reads a partition and the moment when it
 * writes the floor.
 */
async function staleSweeper(): Promise<void> {
  let meanwhile: (() => Promise<unknown>) | undefined;
  const opened = await openArchive({
    archiveDays: null,
    gate: async (label) => {
      if (meanwhile === undefined || !label.startsWith("send") || !IS_CHECKPOINT.test(label))
        return;
      const run = meanwhile;
      meanwhile = undefined;
      await run();
    },
  });
  const { ledger, publish, patch, readAll, published, world, bucket } = opened;
  await publish(10);
  await ledger.compact(defaultTenant, NAME);
  world.nowMs += 5 * HOUR_MS;
  bucket.setFaults(() => ({ "slow-down": 1 }));
  meanwhile = () => patch(10);
  await ledger.sweep();
  assert.equal(meanwhile, undefined);
  assert.deepEqual(numbersOf(await readAll("earliest")), published);
}
