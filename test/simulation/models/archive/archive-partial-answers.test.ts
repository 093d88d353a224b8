import { expect, it } from "vitest";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import { SEED } from "../../../support/seed.ts";
import { HOUR_MS, NAME, numbersOf, openArchive } from "./archive-world.ts";

/** The store processes only a part of each read and of each batch. */
const IN_PART = () => ({ unprocessed: 0.3, "short-page": 0.5 });
const PARTITIONS = 3;
const ROUNDS = 12;

/** Returns all segments, a few per page. */
async function listAll(ledger: Ledger) {
  const listed = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await ledger.listSegments(defaultTenant, NAME, { limit: 7, cursor });
    listed.push(...page.segments);
    cursor = page.cursor ?? undefined;
    more = page.cursor !== null;
  }
  return listed;
}

it(`[archive.read] archives, their lists and exports leave nothing out (SEED=${SEED})`, async () => {
  const opened = await openArchive({ seed: SEED, partitions: PARTITIONS });
  const { ledger, store, publish, pass, published, readAll, rows } = opened;
  store.setFaults(IN_PART);
  for (let round = 0; round < ROUNDS; round++) {
    await publish(21);
    await ledger.archive(defaultTenant, NAME);
  }
  const segments = rows("SEGMENT#").length;
  expect(segments).toBeGreaterThan(ROUNDS);
  expect(await listAll(ledger)).toHaveLength(segments);
  const whole = { segments, events: published.length, fault: null, cursor: null };
  expect(await ledger.verifyArchive(defaultTenant, NAME, undefined)).toMatchObject(whole);

  // The events leave the table, so everything is read from the archive.
  await pass(40 * HOUR_MS);
  const read = numbersOf(await readAll("earliest"));
  expect(read.toSorted((a, b) => a - b)).toEqual(published);
  const back = numbersOf(await readAll("latest", { order: "desc" }));
  expect(back.toSorted((a, b) => a - b)).toEqual(published);

  const asked = { view: "log", format: "ndjson" } as const;
  const made = [];
  for (let n = 0; n < 8; n++) made.push(await ledger.createExport(defaultTenant, NAME, asked));
  for (const { events } of made) expect(events).toBe(published.length);
  const { exports } = await ledger.listExports(defaultTenant, NAME);
  expect(exports).toHaveLength(8);

  // The removal of the stream leaves no segment, no object and no export.
  await ledger.deleteStream(defaultTenant, NAME);
  await pass(2 * HOUR_MS);
  expect(await ledger.sweepExports({ budgetMs: 60_000 })).toEqual([]);
  expect(rows("SEGMENT#")).toEqual([]);
  expect(opened.bucket.stored.size).toBe(0);
  expect(store.items().filter(({ pk }) => pk === "EXPORTS")).toEqual([]);
  const { "fault.unprocessed": batches, "fault.short-page": pages } = store.tally.all();
  expect(Math.min(batches ?? 0, pages ?? 0)).toBeGreaterThan(0);
});
