import {
  type CoreModules,
  CURSOR_KEY,
  createWorld,
  type Process,
  settled,
  type World,
} from "./bootstrap-world.ts";

/** A program: a scene, and a number for every decision of the schedule. */
export type Program = {
  readonly seed: number;
  readonly partitions: number;
  readonly subscribers: number;
  readonly choices: readonly number[];
};

const TENANT = "default" as never;
const STREAM = "orders";
const KEYS = ["a", "b", "c"] as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Logged = { readonly key: string; readonly sequence: number; readonly data: string };
/** Every event that was ever in the log, by partition and sequence, even if it has expired. */
export type History = Map<number, Logged>[];
type View = Map<string, { sequence: number; data: string }>;

/**
 * The cursor that a subscriber keeps. `committed` is true once the server has acknowledged it. Then
 * the cursor itself need not be kept.
 */
type Kept = {
  readonly view: View;
  readonly seen: Map<string, number>;
  readonly cursor: string | undefined;
  readonly list: List | undefined;
  committed: boolean;
};

/** The parts of a list that are still to be read, and the cursor that follows all of them. */
type List = { readonly cursors: readonly string[]; readonly follow: string };

/** What a subscriber keeps through a crash, and what it holds only in memory. */
type Subscriber = {
  readonly process: Process;
  readonly name: string;
  view: View;
  seen: Map<string, number>;
  cursor: string | undefined;
  /** A reader of the list in parts, which the subscription follows. */
  readonly parts: number | undefined;
  list: List | undefined;
  saved: Kept;
};

/** Thrown when a promise does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/**
 * Runs a program. Throws a Violation when a subscriber with a `consistent` page holds anything
 * other than the fold of the log, when the sequences of a key do not rise, when the log that an
 * open bootstrap needs is gone, or when an operation fails unexpectedly.
 */
export async function runProgram(core: CoreModules, program: Program): Promise<void> {
  const world = createWorld(core, program.seed, KEYS);
  try {
    await runIn(world, core, program);
  } finally {
    world.end();
  }
}

async function runIn(world: World, core: CoreModules, program: Program): Promise<void> {
  const { parse } = core.createCursors([CURSOR_KEY]);
  const log: History = Array.from({ length: program.partitions }, () => new Map());
  const failures: unknown[] = [];
  await world.director.createStream(TENANT, {
    name: STREAM,
    description: "",
    partitions: program.partitions,
    compaction: "key",
    retentionHours: 1,
    archiveDays: null,
  });
  const publisher = world.addProcess("publisher");
  const compactors = [world.addProcess("compactor 1"), world.addProcess("compactor 2")];
  const subscribers: Subscriber[] = [];
  for (let index = 0; index < program.subscribers; index++) {
    const name = `sub-${index}`;
    await world.director.createSubscription(TENANT, STREAM, { name, start: "bootstrap" });
    const process = world.addProcess(name);
    const parts = index % 2 === 0 ? undefined : 2 + (program.seed % 15);
    subscribers.push({ process, name, parts, ...forget(), saved: forget() });
  }
  let published = 0;

  const start = (process: Process, work: () => Promise<void>): void => {
    const { life } = process;
    process.busy = true;
    work()
      .catch((error: unknown) => {
        if (process.life === life && !isExpected(error)) failures.push(error);
      })
      .finally(() => {
        if (process.life === life) process.busy = false;
      });
  };

  const publish = async (choice: number): Promise<void> => {
    const key = KEYS[choice % KEYS.length] ?? "a";
    const data = Math.floor(choice / 3) % 3 === 0 ? "null" : String(++published);
    const event = { attributes: { key }, data: data as never };
    await publisher.ledger.publish(TENANT, STREAM, [event]);
  };

  const compact = async (process: Process, floors: boolean): Promise<void> => {
    if (!floors) await process.ledger.compact(TENANT, STREAM, { budgetMs: 20_000 });
    else {
      const { stuck } = await process.ledger.sweep({ budgetMs: 20_000 });
      for (const { error } of stuck) if (!isExpected(error)) throw error;
    }
  };

  /** Returns when the bootstrap of a cursor began, or -Infinity when it has none. */
  const openedAt = (cursor: string | undefined): number =>
    (cursor === undefined ? undefined : parse(cursor).bootstrap?.startedAt) ?? -Infinity;

  const poll = async (subscriber: Subscriber, limit: number): Promise<boolean> => {
    const { process, name, cursor: after } = subscriber;
    const { life } = process;
    try {
      const query = { limit, ...(after === undefined ? {} : { after }) };
      const page = await process.ledger.poll(TENANT, STREAM, name, query as never);
      if (process.life !== life) return false;
      for (const event of page.events) apply(subscriber, event, page.phase);
      subscriber.cursor = page.cursor;
      if (!page.consistent) return false;
      const { positions } = parse(page.cursor);
      record(core, world, log);
      assertExact(
        subscriber.view,
        log,
        positions.map((at) => at?.next ?? 0),
      );
      return page.caughtUp;
    } catch (error) {
      if (process.life === life)
        await startOver(subscriber, error, world.nowMs() - openedAt(after));
      return false;
    }
  };

  /** Begins the list of a subscriber that reads parts, or reads a page of one of them. */
  const list = async (subscriber: Subscriber, choice: number): Promise<void> => {
    const { process, list: before } = subscriber;
    const { life } = process;
    const at = choice % (before?.cursors.length ?? 1);
    const query =
      before === undefined
        ? { limit: 1, parts: subscriber.parts }
        : { limit: 1 + (choice % 2), cursor: before.cursors[at] };
    try {
      const page = await process.ledger.listCompacted(TENANT, STREAM, query as never);
      if (process.life !== life) return;
      for (const event of page.items) apply(subscriber, event, "bootstrap");
      const more = page.parts ?? (page.cursor === null ? [] : [page.cursor]);
      const cursors = before?.cursors.toSpliced(at, 1, ...more) ?? more;
      subscriber.list = { cursors, follow: page.follow };
      if (cursors.length === 0) subscriber.cursor = page.follow;
    } catch (error) {
      if (process.life === life) await startOver(subscriber, error, Number.POSITIVE_INFINITY);
    }
  };

  const isListing = ({ parts, list }: Subscriber): boolean =>
    parts !== undefined && list?.cursors.length !== 0;

  /** Lists or polls. Returns whether the subscriber has caught up. */
  const readOn = async (subscriber: Subscriber, choice: number): Promise<boolean> => {
    if (!isListing(subscriber)) return poll(subscriber, 1 + (choice % 3));
    await list(subscriber, choice);
    return false;
  };

  const commit = async (subscriber: Subscriber): Promise<void> => {
    const { process, name, cursor } = subscriber;
    if (cursor === undefined) return;
    save(subscriber);
    const { saved } = subscriber;
    const { stale } = await process.ledger.commit(TENANT, STREAM, name, cursor);
    saved.committed = !stale;
  };

  const moves = (choice: number): (() => void | Promise<void>)[] => {
    const detail = Math.floor(choice / 64);
    const found: (() => void | Promise<void>)[] = [];
    const times = (count: number, move: () => void | Promise<void>) => {
      for (let index = 0; index < count; index++) found.push(move);
    };
    for (const index of world.waiting.keys()) times(4, () => world.release(index));
    if (!publisher.busy) times(5, () => start(publisher, () => publish(detail)));
    for (const process of compactors) {
      if (process.busy) times(1, () => world.crash(process));
      else times(3, () => start(process, () => compact(process, detail % 4 === 0)));
    }
    for (const subscriber of subscribers) {
      const { process } = subscriber;
      if (!process.busy) {
        times(6, () => start(process, async () => void (await readOn(subscriber, detail))));
        times(1, () => start(process, () => commit(subscriber)));
        times(1, () => save(subscriber));
      }
      times(1, () => crash(world, subscriber, detail % 2 === 0));
    }
    const rest = TIMES[detail % TIMES.length] ?? 0;
    if (world.restedMs() + rest < RESTS_MAX_MS) times(1, () => world.advance(rest));
    times(1, () => {
      record(core, world, log);
      world.fake.expireItems({ lateMs: 0 });
    });
    return found;
  };

  for (const choice of program.choices) {
    const found = moves(choice);
    await found[choice % found.length]?.();
    await settled();
    if (failures.length > 0) throw failures[0];
  }
  await finish(world, subscribers, readOn);
  if (failures.length > 0) throw failures[0];
}

/**
 * Periods that exceed some time limit: the age of a section, a retention, a bootstrap, a tombstone.
 */
const TIMES = [
  1_000,
  1_000,
  70_000,
  2 * HOUR_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  25 * HOUR_MS,
  4 * DAY_MS,
];

/** After a longer period, even events that were never compacted may expire. */
const RESTS_MAX_MS = 25 * DAY_MS;

export const forget = (): Kept => ({
  view: new Map(),
  seen: new Map(),
  cursor: undefined,
  list: undefined,
  committed: false,
});

function save(subscriber: Subscriber): void {
  const { view, seen, cursor, list } = subscriber;
  subscriber.saved = { view: new Map(view), seen: new Map(seen), cursor, list, committed: false };
}

/**
 * Restarts a subscriber with what it had saved. It continues after its cursor or after what it had
 * committed.
 */
function crash(world: World, subscriber: Subscriber, keepsCursor: boolean): void {
  world.crash(subscriber.process);
  const { view, seen, cursor, list, committed } = subscriber.saved;
  subscriber.view = new Map(view);
  subscriber.seen = new Map(seen);
  subscriber.list = list;
  subscriber.cursor = committed && !keepsCursor ? undefined : cursor;
}

export function apply(
  { view, seen }: Pick<Subscriber, "view" | "seen">,
  event: { key: string; sequence: number; data: string },
  phase: string,
): void {
  const { key, sequence, data } = event;
  const before = seen.get(key) ?? 0;
  if (sequence <= before) throw new Violation(`${key} fell from ${before} to ${sequence}`);
  seen.set(key, sequence);
  if (phase === "bootstrap" && data === "null")
    throw new Violation(`${key} is deleted, yet listed`);
  if (data === "null") view.delete(key);
  else view.set(key, { sequence, data });
}

/** Records what the table holds of the log, without the code under test. */
export function record(core: CoreModules, world: World, log: History): void {
  for (const { p, f, n, b, t, r, d, ...item } of world.fake.items()) {
    if (!String(item.sk).startsWith("SEQ#") || log[Number(p)]?.has(Number(f))) continue;
    const batch = { first: f, count: n, batchId: b, publishedAt: t, rawBytes: r, payload: d };
    for (const event of core.unpackBatch(batch as never))
      log[Number(p)]?.set(event.sequence, event);
  }
}

export function assertExact(view: View, log: History, positions: readonly number[]): void {
  const fold: View = new Map();
  log.forEach((events, partition) => {
    const upTo = positions[partition] ?? 0;
    for (let at = 1; at < upTo; at++) {
      const event = events.get(at);
      if (event === undefined) throw new Violation(`${at} was never in the log`);
      const { key, sequence, data } = event;
      if (data === "null") fold.delete(key);
      else fold.set(key, { sequence, data });
    }
  });
  const print = (of: View) => JSON.stringify([...of].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (print(view) === print(fold)) return;
  throw new Violation(`at ${positions}: have ${print(view)}, the log folds to ${print(fold)}`);
}

async function startOver(subscriber: Subscriber, error: unknown, ageMs: number): Promise<void> {
  const code = codeOf(error);
  if (code === "retention-passed" && ageMs < DAY_MS) {
    throw new Violation(`the log after an open bootstrap is gone after ${ageMs} ms`);
  }
  if (code !== "retention-passed" && code !== "bootstrap-expired" && code !== "invalid-cursor") {
    throw error;
  }
  const { process, name } = subscriber;
  const { life } = process;
  await process.ledger.seek(TENANT, STREAM, name, { to: "bootstrap" });
  if (process.life !== life) return;
  Object.assign(subscriber, forget(), { saved: forget() });
}

/** Runs everything to its end. Every subscriber must become exact and catch up. */
async function finish(
  world: World,
  subscribers: readonly Subscriber[],
  readOn: (subscriber: Subscriber, choice: number) => Promise<boolean>,
): Promise<void> {
  const drain = async () => {
    await settled();
    for (let steps = 0; world.waiting.length > 0; steps++) {
      if (steps > 10_000) throw new Violation("requests never end");
      await world.release(0);
    }
  };
  await drain();
  await world.director.sweep({ budgetMs: 60_000 });
  for (const subscriber of subscribers) {
    let done = false;
    for (let pages = 0; !done; pages++) {
      if (pages > 300) throw new Violation(`${subscriber.name} never catches up`);
      let failed: unknown;
      const polled = readOn(subscriber, 1).then(
        (caughtUp) => {
          done = caughtUp;
        },
        (error: unknown) => {
          failed = error;
        },
      );
      await drain();
      await polled;
      if (failed !== undefined) throw failed;
    }
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

/** Refusals that a program may receive: a time limit has passed, or another process was faster. */
const isExpected = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === "SectionTooOld" ||
    ["compaction-stalled", "stream-busy", "outcome-unknown", "invalid-cursor"].includes(
      codeOf(error),
    ));
