import { apply, assertExact, forget, type History, record, Violation } from "./bootstrap-oracle.ts";
import { type CoreModules, CURSOR_KEY, createWorld, type World } from "./bootstrap-world.ts";

const TENANT = "default" as never;
const STREAM = "orders";
/** The two keys are in different buckets, and a scan reads `first` before `second`. */
const FIRST = "a";
const SECOND = "c";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The actions that a scenario is written in, such as publish, compact and bootstrap. */
type Stage = Awaited<ReturnType<typeof setStage>>;

/**
 * One scenario for every rule that keeps bootstraps exact. The rule decides how the scenario ends.
 * Each throws a Violation when a reader ends with anything other than the fold of the log.
 */
export const scenarios: Readonly<Record<string, (core: CoreModules) => Promise<void>>> = {
  "a key is overwritten under the scan": (core) =>
    play(core, async ({ publish, compact, bootstrap }) => {
      await publish(FIRST, SECOND);
      await compact();
      const reader = await bootstrap();
      await reader.page();
      await publish(SECOND);
      await compact();
      await reader.finish();
    }),

  "a list is read in parts": (core) =>
    play(core, async ({ publish, compact, parts }) => {
      await publish(FIRST, SECOND);
      await compact();
      const reader = await parts();
      await reader.readRest();
      await reader.finish();
    }),

  "keys are overwritten before the last part of a list is read": (core) =>
    play(core, async ({ publish, compact, parts }) => {
      await publish(FIRST, SECOND);
      await compact();
      const reader = await parts();
      await publish(FIRST, SECOND);
      await compact();
      await reader.readRest();
      await reader.finish();
    }),

  "a key is deleted under the scan, and the run has not moved the checkpoint": (core) =>
    play(core, async ({ world, publish, remove, compact, slow, slowCompact, bootstrap }) => {
      await publish(FIRST, SECOND);
      await compact();
      const reader = await bootstrap();
      await reader.page();
      await remove(SECOND);
      const run = slowCompact();
      await world.runUntil(slow, "UpdateCommand", "CHECKPOINT");
      await reader.finish();
      await world.runOut(slow, run);
    }),

  "a run is paused before its put, a faster one overtakes it": (core) =>
    play(core, async ({ world, publish, compact, slow, slowCompact, bootstrap }) => {
      await publish(FIRST);
      const run = slowCompact();
      await world.runUntil(slow, "#COMPACT#");
      await publish(FIRST);
      await compact();
      await world.runOut(slow, run);
      await (await bootstrap()).finish();
    }),

  "a run is paused before its put, the key is deleted meanwhile": (core) =>
    play(core, async ({ world, publish, remove, compact, slow, slowCompact, bootstrap }) => {
      await publish(FIRST);
      const run = slowCompact();
      await world.runUntil(slow, "#COMPACT#");
      await remove(FIRST);
      await compact();
      world.advance(2_000);
      world.fake.expireItems({ lateMs: 0 });
      await world.runOut(slow, run);
      await (await bootstrap()).finish();
    }),

  "a run is paused before its first put": (core) =>
    play(core, async ({ world, publish, slow, slowCompact, bootstrap }) => {
      await publish(FIRST);
      const run = slowCompact();
      await world.runUntil(slow, "#COMPACT#");
      await (await bootstrap()).finish();
      await world.runOut(slow, run);
    }),

  "a run is killed on its way, with one of two keys put": (core) =>
    play(core, async ({ world, publish, slow, slowCompact, bootstrap }) => {
      await publish(FIRST, SECOND);
      slowCompact().catch(() => {});
      await world.runUntil(slow, "#COMPACT#");
      world.advance(1_000);
      await world.release(0);
      const move = world.waiting.findIndex(({ label }) => label.includes("CHECKPOINT"));
      if (move === -1) throw new Violation("a run that is killed has worked in vain");
      await world.release(move);
      world.crash(slow);
      await (await bootstrap()).finish();
    }),

  "a run is killed on its way, with only the second of two keys put": (core) =>
    play(core, async ({ world, publish, slow, slowCompact, bootstrap }) => {
      await publish(FIRST, SECOND);
      slowCompact().catch(() => {});
      await world.runUntil(slow, "#COMPACT#");
      world.advance(1_000);
      await world.release(1);
      const move = world.waiting.findIndex(({ label }) => label.includes("CHECKPOINT"));
      if (move !== -1) await world.release(move);
      world.crash(slow);
      await (await bootstrap()).finish();
    }),

  "a run that puts rows together is overtaken for one of them": (core) =>
    play(core, async ({ world, publish, compact, together, bootstrap }) => {
      await publish(FIRST, SECOND);
      const run = together.ledger.compact(TENANT, STREAM);
      await world.runUntil(together, "TransactWriteCommand");
      await publish(FIRST);
      await compact();
      await world.runOut(together, run);
      await (await bootstrap()).finish();
    }),

  "one of the rows that a run puts together is there already": (core) =>
    play(core, async ({ world, publish, slow, slowCompact, together, bootstrap }) => {
      await publish(FIRST, SECOND);
      slowCompact().catch(() => {});
      await world.runUntil(slow, "#COMPACT#");
      await world.release(0);
      world.crash(slow);
      await world.runOut(together, together.ledger.compact(TENANT, STREAM));
      await (await bootstrap()).finish();
    }),

  "a run is paused before it moves the checkpoint, for longer than the retention": (core) =>
    play(core, async ({ world, publish, compact, sweep, slow, slowCompact, bootstrap }) => {
      await publish(FIRST);
      const run = slowCompact();
      await world.runUntil(slow, "UpdateCommand", "CHECKPOINT");
      await publish(SECOND);
      await compact();
      world.advance(2 * HOUR_MS);
      await sweep();
      await world.runOut(slow, run);
      await (await bootstrap()).finish();
    }),

  "a key comes back after its deletion and lives longer than a tombstone": (core) =>
    play(core, async ({ world, publish, remove, compact, sweep, bootstrap }) => {
      await publish(FIRST);
      await remove(FIRST);
      await compact();
      await publish(FIRST);
      await compact();
      for (let days = 0; days < 9; days++) {
        world.advance(DAY_MS);
        await sweep();
      }
      world.fake.expireItems({ lateMs: 0 });
      await (await bootstrap()).finish();
    }),

  "a bootstrap stays open for longer than the retention": (core) =>
    play(core, async ({ world, publish, compact, sweep, bootstrap }) => {
      await publish(FIRST, SECOND);
      await compact();
      const reader = await bootstrap();
      await reader.page();
      await publish(FIRST);
      world.advance(5 * HOUR_MS);
      await sweep();
      world.advance(70_000);
      await reader.finish();
    }),

  "compacted state is read right after it was put": async (core) => {
    for (let seed = 0; seed < 12; seed++) {
      await play(
        core,
        async ({ publish, compact, bootstrap }) => {
          await publish(FIRST, SECOND);
          await compact();
          await publish(SECOND);
          await compact();
          await (await bootstrap()).finish();
        },
        seed,
      );
    }
  },
};

async function play(
  core: CoreModules,
  story: (stage: Stage) => Promise<void>,
  seed = 1,
): Promise<void> {
  const world = createWorld(core, seed, [FIRST, SECOND]);
  try {
    await story(await setStage(core, world));
  } finally {
    world.end();
  }
}

async function setStage(core: CoreModules, world: World) {
  const { director } = world;
  const { parse } = core.createCursors([CURSOR_KEY]);
  const history: History = [new Map()];
  const slow = world.addProcess("slow compactor");
  const together = world.addProcess("compactor of a local store", "together");
  let readers = 0;
  let published = 0;
  await director.createStream(TENANT, {
    name: STREAM,
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours: 1,
    archiveDays: null,
  });
  const put = async (key: string, data: string) => {
    await director.publish(TENANT, STREAM, [{ attributes: { key }, data: data as never }]);
    world.advance(100);
    record(core, world, history);
  };

  return {
    world,
    slow,
    together,
    publish: async (...keys: string[]) => {
      for (const key of keys) await put(key, String(++published));
    },
    remove: (key: string) => put(key, "null"),
    compact: () => director.compact(TENANT, STREAM),
    slowCompact: () => slow.ledger.compact(TENANT, STREAM),
    sweep: () => director.sweep(),
    /** Starts a new subscription. Every page is applied, and checked where it says `consistent`. */
    bootstrap: async () => {
      const name = `reader-${++readers}`;
      await director.createSubscription(TENANT, STREAM, { name, start: "bootstrap" });
      const { view, seen } = forget();
      let after: string | undefined;
      const page = async (): Promise<boolean> => {
        const query = { limit: 1, ...(after === undefined ? {} : { after }) };
        const polled = await director.poll(TENANT, STREAM, name, query as never).catch(asViolation);
        for (const event of polled.events) apply({ view, seen }, event, polled.phase);
        after = polled.cursor;
        const positions = parse(after).positions.map((at) => at?.next ?? 0);
        if (polled.consistent) assertExact(view, history, positions);
        return polled.consistent && polled.caughtUp;
      };
      const finish = async () => {
        for (let pages = 0; !(await page()); pages++) {
          if (pages > 100) throw new Violation("the reader never catches up");
        }
      };
      return { page, finish };
    },
    /**
     * Begins a list with a page of one key, and divides the rest. A subscription follows the list.
     */
    parts: async () => {
      const name = `reader-${++readers}`;
      await director.createSubscription(TENANT, STREAM, { name, start: "bootstrap" });
      const { view, seen } = forget();
      const begun = await director.listCompacted(TENANT, STREAM, { limit: 1, parts: 16 });
      for (const event of begun.items) apply({ view, seen }, event, "bootstrap");
      let after = begun.follow;
      const readRest = async () => {
        for (const part of begun.parts ?? []) {
          for (let cursor: string | null = part; cursor !== null; ) {
            const page = await director.listCompacted(TENANT, STREAM, { limit: 1, cursor });
            for (const event of page.items) apply({ view, seen }, event, "bootstrap");
            cursor = page.cursor;
          }
        }
      };
      const finish = async () => {
        for (let pages = 0; ; pages++) {
          const at = { limit: 1, after };
          const polled = await director.poll(TENANT, STREAM, name, at as never).catch(asViolation);
          for (const event of polled.events) apply({ view, seen }, event, polled.phase);
          after = polled.cursor;
          const positions = parse(after).positions.map((at) => at?.next ?? 0);
          if (polled.consistent) assertExact(view, history, positions);
          if (polled.consistent && polled.caughtUp) return;
          if (pages > 100) throw new Violation("the reader never catches up");
        }
      };
      return { readRest, finish };
    },
  };
}

function asViolation(error: unknown): never {
  throw new Violation(`a poll fails: ${error}`);
}
