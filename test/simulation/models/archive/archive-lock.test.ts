import { describe, expect, it } from "vitest";
import { defaultTenant, type Ledger } from "../../../../packages/core/src/index.ts";
import { codeOf, DAY_MS, HOUR_MS, NAME, openArchive, type Through } from "./archive-world.ts";

const lock = (by: Ledger, archiveLock: "governance" | "compliance", archiveDays?: number) =>
  by.patchStream(defaultTenant, NAME, {
    archiveLock,
    ...(archiveDays === undefined ? {} : { archiveDays }),
  });

/** Holds back the first request whose name matches. `reached` resolves when it comes. */
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

describe("the locks of an archive", () => {
  it("[archive.lock] the archive of a deleted stream goes when its locks have ended, and not before", async () => {
    const { ledger, publish, pass, bucket, rows } = await openArchive({ archiveDays: 20 });
    await lock(ledger, "compliance");
    for (let n = 0; n < 3; n++) {
      await publish(10);
      await pass(HOUR_MS * 5);
    }
    expect(bucket.stored.size).toBe(3);
    await ledger.deleteStream(defaultTenant, NAME);
    await pass(19 * DAY_MS, DAY_MS);
    // The seal of the ended chain stays.
    expect(rows("SEQ#")).toHaveLength(1);
    expect(bucket.stored.size).toBe(3);
    await pass(2 * DAY_MS, DAY_MS);
    expect(bucket.stored.size).toBe(0);
    expect(rows("SEGMENT#")).toHaveLength(0);
    expect((await ledger.sweep()).livesRemoved).toBe(0);
  });

  it("[archive.lock] an object whose lock was made longer in the bucket goes when that has ended", async () => {
    const { ledger, publish, pass, bucket, world } = await openArchive({ archiveDays: 5 });
    await lock(ledger, "governance");
    await publish(10);
    await ledger.archive(defaultTenant, NAME);
    const [[name, object] = expect.fail()] = [...bucket.stored];
    bucket.stored.set(name, { ...object, lockedUntilMs: world.nowMs + 15 * DAY_MS });
    await ledger.deleteStream(defaultTenant, NAME);
    await pass(14 * DAY_MS, DAY_MS);
    expect(bucket.stored.size).toBe(1);
    await pass(2 * DAY_MS, DAY_MS);
    expect(bucket.stored.size).toBe(0);
  });

  it("[archive.lock-change] an archiver that began before the change locks what it writes after it", async () => {
    const { ledger, openLedger, publish, bucket, world } = await openArchive({ archiveDays: 20 });
    await publish(10);
    await ledger.compact(defaultTenant, NAME);
    const { through, reached, release } = holdAt(/^send QueryCommand/);
    const archiving = openLedger(2, through).archive(defaultTenant, NAME);
    await reached;
    await lock(ledger, "governance", 30);
    release();
    expect(await archiving).toMatchObject({ segments: 1 });
    const [object] = [...bucket.stored.values()];
    expect(object?.lockedUntilMs).toBe(world.nowMs + 30 * DAY_MS);
  });

  it.each([
    { slow: "governance", days: undefined, quick: "compliance", code: "invalid-request" },
    { slow: "compliance", days: 25, quick: "governance", code: "invalid-request" },
    { slow: "compliance", days: undefined, quick: "governance", code: "ok" },
  ] as const)(
    "[archive.lock-change] of two changes at once, none makes a lock weaker or shorter ($slow, $days)",
    async ({ slow, days, quick, code }) => {
      const { ledger, openLedger } = await openArchive({ archiveDays: 20 });
      const { through, reached, release } = holdAt(/^send UpdateCommand/);
      const late = codeOf(lock(openLedger(2, through), slow, days));
      await reached;
      await lock(ledger, quick, 30);
      release();
      expect(await late).toBe(code);
      expect(await ledger.getStream(defaultTenant, NAME)).toMatchObject({
        archiveDays: 30,
        archiveLock: code === "ok" ? slow : quick,
      });
    },
  );
});
