import assert from "node:assert/strict";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import type { Scenario } from "../subscription/scenario.ts";
import { codeOf, DAY_MS, HOUR_MS, NAME, openArchive, type Through } from "./archive-world.ts";

/** The scenarios of a stream whose archive is locked, and of two clients that change the lock. */
export const lockScenarios: readonly Scenario[] = [
  {
    name: "[archive.lock] goes when its stream is deleted and its locks have ended, and not before",
    play: deleted,
  },
  {
    name: "[archive.lock] goes later where a lock was made longer in the bucket",
    play: lengthened,
  },
  {
    name: "[archive.lock-change] is locked by an archiver that began before the change",
    play: lockedMeanwhile,
  },
  {
    name: "[archive.lock-change] does not become weaker by a change that comes late",
    play: () => atOnce({ slow: "governance", quick: "compliance", code: "invalid-request" }),
  },
  {
    name: "[archive.lock-change] does not become shorter by a change that comes late",
    play: () =>
      atOnce({ slow: "compliance", days: 25, quick: "governance", code: "invalid-request" }),
  },
  {
    name: "[archive.lock-change] becomes stronger by a change that comes late",
    play: () => atOnce({ slow: "compliance", quick: "governance", code: "ok" }),
  },
  {
    name: "[archive.now] is not done while events are not compacted",
    play: notCompacted,
  },
];

const lock = (by: Ledger, archiveLock: Mode, archiveDays?: number) =>
  by.patchStream(defaultTenant, NAME, {
    archiveLock,
    ...(archiveDays === undefined ? {} : { archiveDays }),
  });

/** Holds the first request whose name matches. `reached` resolves when that request arrives. */
function holdAt(pattern: RegExp) {
  let release = () => {};
  let reach = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isFirst = true;
  const through: Through = async (run, name) => {
    if (isFirst && pattern.test(name)) {
      isFirst = false;
      reach();
      await released;
    }
    return run();
  };
  return { through, reached, release };
}

async function deleted(): Promise<void> {
  const { ledger, publish, pass, bucket, rows } = await openArchive({ archiveDays: 20 });
  await lock(ledger, "compliance");
  for (let n = 0; n < 3; n++) {
    await publish(10);
    await pass(HOUR_MS * 5);
  }
  assert.equal(bucket.stored.size, 3);
  await ledger.deleteStream(defaultTenant, NAME);
  await pass(19 * DAY_MS, DAY_MS);
  // The seal of the ended chain remains.
  assert.equal(rows("SEQ#").length, 1);
  assert.equal(bucket.stored.size, 3);
  await pass(2 * DAY_MS, DAY_MS);
  assert.equal(bucket.stored.size, 0);
  assert.equal(rows("SEGMENT#").length, 0);
  assert.equal((await ledger.sweep()).livesRemoved, 0);
}

async function lengthened(): Promise<void> {
  const { ledger, publish, pass, bucket, world } = await openArchive({ archiveDays: 5 });
  await lock(ledger, "governance");
  await publish(10);
  await ledger.archive(defaultTenant, NAME);
  const [[name, object] = assert.fail()] = [...bucket.stored];
  bucket.stored.set(name, { ...object, lockedUntilMs: world.nowMs + 15 * DAY_MS });
  await ledger.deleteStream(defaultTenant, NAME);
  await pass(14 * DAY_MS, DAY_MS);
  assert.equal(bucket.stored.size, 1);
  await pass(2 * DAY_MS, DAY_MS);
  assert.equal(bucket.stored.size, 0);
}

async function lockedMeanwhile(): Promise<void> {
  const { ledger, openLedger, publish, bucket, world } = await openArchive({ archiveDays: 20 });
  await publish(10);
  await ledger.compact(defaultTenant, NAME);
  const { through, reached, release } = holdAt(/^send QueryCommand/);
  const archiving = openLedger(2, through).archive(defaultTenant, NAME);
  await reached;
  await lock(ledger, "governance", 30);
  release();
  assert.equal((await archiving).segments, 1);
  const [object] = [...bucket.stored.values()];
  assert.equal(object?.lockedUntilMs, world.nowMs + 30 * DAY_MS);
}

type Mode = "governance" | "compliance";

/** The slow change is checked against the first settings, but written after the quick one. */
async function atOnce({
  slow,
  days,
  quick,
  code,
}: {
  readonly slow: Mode;
  readonly days?: number;
  readonly quick: Mode;
  readonly code: string;
}): Promise<void> {
  const { ledger, openLedger } = await openArchive({ archiveDays: 20 });
  const { through, reached, release } = holdAt(/^send UpdateCommand/);
  const late = codeOf(lock(openLedger(2, through), slow, days));
  await reached;
  await lock(ledger, quick, 30);
  release();
  assert.equal(await late, code);
  const { archiveDays, archiveLock } = await ledger.getStream(defaultTenant, NAME);
  assert.deepEqual([archiveDays, archiveLock], [30, code === "ok" ? slow : quick]);
}

async function notCompacted(): Promise<void> {
  const { ledger, publish } = await openArchive();
  await publish(10);
  const begun = await ledger.archive(defaultTenant, NAME, { budgetMs: 0 });
  assert.deepEqual([begun.done, begun.watermarkLag.events], [false, 10]);
  assert.equal((await ledger.archive(defaultTenant, NAME)).done, true);
}
