import type { EventsPage, Ledger } from "../../../../packages/core/src/index.ts";
import { defaultTenant, LedgerError } from "../../../../packages/core/src/index.ts";
import { chainOfEvent, type Epoch } from "../../../../packages/core/src/model/epochs.ts";
import type { SeededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS, HOUR_MS, NAME, openArchive } from "../archive/archive-world.ts";

const OF = [defaultTenant, NAME] as const;
const MINUTE_MS = 60_000;
const KEYS = ["a", "b", "c", "d", "e", "f"];
/**
 * For this long, and for a month without an archive, the server knows what the log has lost. Later
 * it may refuse a cursor although nothing is lost.
 */
const KNOWN_MS = 9 * DAY_MS;
const MONTH_MS = 29 * DAY_MS;

/** A published event. `n` is its number over all partitions. */
type Published = {
  readonly n: number;
  readonly key: string;
  readonly chain: number;
  readonly sequence: number;
  readonly atMs: number;
};

/**
 * A cursor, and what it promises. A reader that goes on from it receives every event that is
 * `must`, may receive those that are `may`, and receives no other. What the log had lost before the
 * cursor was made is `gone`: it is no reason to refuse the cursor.
 */
type Held = {
  readonly what: string;
  readonly cursor: string;
  /** What was published at this time or later counts as missed when it is lost. */
  readonly keptSinceMs: number;
  readonly isAfter: (event: Published) => "must" | "may" | "gone" | "not";
};

export type Opened = Awaited<ReturnType<typeof openPlaces>>;

/** How often a cursor of a kind was read on, and how often it was refused. */
export type PlacesTally = Record<string, number>;

/** Opens a stream, with everything that was published to it. */
export async function openPlaces(random: SeededRandom, seed: number) {
  const archiveDays = random.pick([null, null, 20]);
  const retentionHours = random.pick([1, 24, 15 * 24]);
  const partitions = random.pick([2, 3]);
  const compaction = random.pick(["key", "key", "none"] as const);
  const opened = await openArchive({ seed, archiveDays, retentionHours, partitions, compaction });
  const settings = {
    keptMs: Math.max((archiveDays ?? 0) * DAY_MS, retentionHours * HOUR_MS),
    archived: archiveDays !== null,
    changed: false,
    compaction,
  };
  const { ledger, world, store } = opened;
  const published: Published[] = [];
  let names = 0;

  async function publish(): Promise<string> {
    const keys = Array.from({ length: random.between(1, 2) }, () => random.pick(KEYS));
    const events = keys.map((key) => ({ attributes: { key }, data: `${names++}` as never }));
    const receipt = await ledger.publish(...OF, events);
    const { epochs, partitions } = await ledger.getStream(...OF);
    const chains = { partitions: Number(partitions), epochs: epochsOf(epochs) };
    for (const [at, key] of keys.entries()) {
      const sequence = receipt.events[at]?.sequence ?? 0;
      const chain = chainOfEvent(chains, { key, sequence });
      published.push({ n: Number(events[at]?.data), key, chain, sequence, atMs: world.nowMs });
    }
    return receipt.cursor;
  }

  /** Returns whether an event can be read now, as the checkpoint of its partition says. */
  function readable(): (event: Published) => boolean {
    const rows = store.items(({ sk }) => sk === "CHECKPOINT");
    const starts = new Map(
      rows.map(({ partition, floor, archivedFrom = 0, archivedTo = 0 }) => [
        Number(partition),
        { floor: Number(floor), from: Number(archivedFrom), to: Number(archivedTo) },
      ]),
    );
    return ({ chain, sequence }) => {
      const { floor, from, to } = starts.get(chain) ?? { floor: 1, from: 0, to: 0 };
      return sequence >= floor || (sequence >= from && sequence < to);
    };
  }

  return { ...opened, random, published, publish, readable, settings };
}

type View = Awaited<ReturnType<Ledger["getStream"]>>;

const epochsOf = (epochs: View["epochs"]): Epoch[] | undefined => {
  if (epochs === undefined) return undefined;
  let first = 0;
  return epochs.map(({ partitions, firstSequence }) => {
    const epoch = { first, partitions, from: firstSequence, at: 0 };
    first += partitions;
    return epoch;
  });
};

/** Makes a cursor of some kind, with what it promises. */
export async function hold(opened: Opened): Promise<Held | undefined> {
  const { ledger, random, published, publish, readable, world, settings } = opened;
  const madeMs = world.nowMs;
  const kind = random.pick(["receipt", "event", "key", "key since", "key after receipt"]);
  const known = published.length;
  if (kind === "receipt") {
    const cursor = await publish();
    return {
      what: kind,
      cursor,
      keptSinceMs: madeMs,
      isAfter: afterReceipt(opened, known, madeMs),
    };
  }
  const key = random.pick(KEYS);
  const limit = random.between(1, 3);
  if (kind === "event") {
    const event = published.findLast((each) => each.key === key && readable()(each));
    if (event === undefined) return undefined;
    const page = await ledger.browse(...OF, { key, sequence: event.sequence, limit: 1 });
    return { what: kind, cursor: page.cursor, keptSinceMs: event.atMs, isAfter: afterEvent(event) };
  }
  if (kind === "key after receipt") {
    const receipt = await publish();
    const mark = afterReceipt(opened, known, madeMs);
    const page = await ledger.browse(...OF, { key, from: receipt, limit });
    const isAfter = withoutRead(page, key, mark);
    return { what: kind, cursor: page.cursor, keptSinceMs: madeMs, isAfter };
  }
  const sinceMs = kind === "key" ? 0 : madeMs - random.pick([0, HOUR_MS, 20 * DAY_MS]);
  const from = kind === "key" ? "earliest" : new Date(sinceMs).toISOString();
  const isReadable = readable();
  const gone = new Set(published.filter((event) => !isReadable(event)));
  const page = await ledger.browse(...OF, { key, from, limit });
  const mark = (event: Published) => {
    if (event.atMs < sinceMs) return "not";
    return gone.has(event) ? "gone" : "must";
  };
  const keptSinceMs = Math.max(sinceMs, madeMs - settings.keptMs);
  return { what: kind, cursor: page.cursor, keptSinceMs, isAfter: withoutRead(page, key, mark) };
}

/** All later events, and perhaps those of the minute before from other partitions. */
const afterReceipt =
  ({ published }: Opened, known: number, madeMs: number): Held["isAfter"] =>
  (event) => {
    const own = published.slice(known).filter(({ atMs }) => atMs === madeMs);
    const at = published.indexOf(event);
    if (own.includes(event)) return "not";
    if (at >= known) return "must";
    const isOwnChain = own.some(({ chain }) => chain === event.chain);
    return !isOwnChain && event.atMs >= madeMs - MINUTE_MS ? "may" : "not";
  };

const afterEvent =
  (read: Published): Held["isAfter"] =>
  (event) => {
    if (event.chain === read.chain) return event.sequence > read.sequence ? "must" : "not";
    if (event.atMs === read.atMs) return "may";
    return event.atMs > read.atMs ? "must" : "not";
  };

/** Leaves out what a page of a key covers: nothing of other partitions. */
function withoutRead(page: EventsPage, key: string, isAfter: Held["isAfter"]): Held["isAfter"] {
  const read = new Set(page.events.map(({ data }) => Number(data)));
  return (event) => {
    if (read.has(event.n)) return "not";
    // Events of other keys in the partition of the key are covered without being shown.
    const mark = isAfter(event);
    return event.key !== key && mark === "must" ? "may" : mark;
  };
}

const READERS = [
  "browse",
  "key",
  "back",
  "poll",
  "start",
  "seek",
  "worker",
  "export",
  "difference",
] as const;

/** Reads on from a cursor to the end, in some way. Returns the numbers, or the problem's code. */
async function readOn(opened: Opened, { cursor }: Held, way: (typeof READERS)[number]) {
  const { ledger, random } = opened;
  const name = `s${random.between(0, 1e9)}`;
  const subscribe = (start: "latest" | { readonly cursor: string }) =>
    ledger.createSubscription(...OF, { name, start });
  switch (way) {
    case "browse":
      return pages((from) => ledger.browse(...OF, { from, limit: 3 }), cursor);
    case "key":
      return pages((from) => ledger.browse(...OF, { from, limit: 3, keyPrefix: "" }), cursor);
    case "back": {
      // A read backward moves nothing where it reads nothing.
      const page = await ledger.browse(...OF, { from: cursor, limit: 1, order: "desc" });
      const before = page.events.map(({ data }) => Number(data));
      const found = await pages((from) => ledger.browse(...OF, { from, limit: 3 }), page.cursor);
      return found.filter((n) => !before.includes(n));
    }
    case "poll":
      await subscribe("latest");
      return pages((after) => ledger.poll(...OF, name, { limit: 3, after }), cursor);
    case "start":
      await subscribe({ cursor });
      return pages((after) => ledger.poll(...OF, name, { limit: 3, after }), undefined);
    case "seek":
      await subscribe("latest");
      await ledger.seek(...OF, name, { to: { cursor } });
      return pages((after) => ledger.poll(...OF, name, { limit: 3, after }), undefined);
    case "worker":
      await subscribe({ cursor });
      return pages(
        (commit) => ledger.commitAndPoll(...OF, name, { limit: 3, consumer: "w", commit }),
        undefined,
      );
    case "export": {
      const asked = { view: "log", format: "ndjson", from: { cursor } } as const;
      const { id, problem } = await ledger.createExport(...OF, asked);
      await ledger.deleteExport(...OF, id);
      if (problem === "retention-passed") throw new LedgerError(problem, { detail: "" });
      return pages((from) => ledger.browse(...OF, { from, limit: 3 }), cursor);
    }
    case "difference": {
      const found: number[] = [];
      let page = await ledger.listCompacted(...OF, { limit: 3, since: cursor });
      for (;;) {
        found.push(...page.items.map(({ data }) => Number(data)));
        if (page.cursor === null) break;
        page = await ledger.listCompacted(...OF, { limit: 3, cursor: page.cursor });
      }
      const rest = await pages((from) => ledger.browse(...OF, { from, limit: 3 }), page.follow);
      return [...found, ...rest];
    }
  }
}

type SomePage = Pick<EventsPage, "events" | "cursor" | "caughtUp">;

async function pages<T extends string | undefined>(
  load: (cursor: T | string) => Promise<SomePage>,
  cursor: T,
): Promise<number[]> {
  const found: number[] = [];
  let page = await load(cursor);
  for (let count = 0; count < 1_000; count++) {
    found.push(...page.events.map(({ data }) => Number(data)));
    if (page.caughtUp) return found;
    page = await load(page.cursor);
  }
  throw new Error("A reader never catches up");
}

const PASSED = new Set(["retention-passed", "changes-passed"]);

/** Reads on from a cursor. Throws when the reader silently misses an event. */
export async function use(opened: Opened, held: Held, tally: PlacesTally): Promise<void> {
  const { published, random, world, readable, settings } = opened;
  const ways = settings.compaction === "key" ? READERS : READERS.slice(0, -1);
  const way = random.pick(ways);
  const isReadable = readable();
  const after = (mark: string) => published.filter((event) => held.isAfter(event) === mark);
  const say = (what: string, events: readonly Published[]) =>
    new Error(`${held.what}, ${way}: ${what} ${JSON.stringify(events.slice(0, 3))}`);
  let found: number[];
  try {
    found = await readOn(opened, held, way);
  } catch (error) {
    if (!(error instanceof LedgerError) || !PASSED.has(error.code)) throw error;
    const lost = [...after("must"), ...after("may")].filter((event) => !isReadable(event));
    const knownMs = settings.archived ? KNOWN_MS : MONTH_MS;
    const isOld = world.nowMs - held.keptSinceMs > knownMs - DAY_MS;
    // A cursor from before a change of the retention does not know what was kept.
    const isVague = settings.changed && held.what.startsWith("key");
    if (lost.length === 0 && !isOld && !isVague && error.code === "retention-passed") {
      throw say("is refused, and nothing is lost", []);
    }
    tally[`${held.what} refused`] = (tally[`${held.what} refused`] ?? 0) + 1;
    return;
  }
  const got = new Set(found);
  // A difference has the last event of each key.
  const last = new Map(published.map((event) => [event.key, event]));
  const isDue = (event: Published) => way !== "difference" || last.get(event.key) === event;
  const missed = after("must").filter((event) => isDue(event) && !got.has(event.n));
  if (missed.length > 0) throw say("misses", missed);
  tally[held.what] = (tally[held.what] ?? 0) + 1;
  if (way === "difference") return;
  const extra = published.filter((event) => held.isAfter(event) === "not" && got.has(event.n));
  if (extra.length > 0) throw say("receives once more", extra);
}

/** Something else that happens to the stream. */
export async function happen(opened: Opened): Promise<void> {
  const { ledger, random, store, world, publish, pass, settings } = opened;
  const what = random.pick(["publish", "pass", "pass", "publish", "settings", "compact"]);
  if (what === "publish") return void (await publish());
  if (what === "compact") return void (await ledger.compact(...OF));
  if (what === "pass") {
    const [ms, step] = random.pick([
      [1_000, 1_000],
      [10 * MINUTE_MS, 10 * MINUTE_MS],
      [5 * HOUR_MS, HOUR_MS],
      [2 * DAY_MS, 6 * HOUR_MS],
      [16 * DAY_MS, 2 * DAY_MS],
      [32 * DAY_MS, 4 * DAY_MS],
    ] as const);
    await pass(ms, step);
    // Rows expire late and in any order.
    store.expireItems({ lateMs: 72 * HOUR_MS, limit: 3 });
    world.nowMs += 1;
    return;
  }
  const change = random.pick(["retention", "archive", "partitions", "partitions", "partitions"]);
  if (change !== "partitions") settings.changed = true;
  if (change === "retention") {
    await ledger.patchStream(...OF, { retentionHours: random.pick([1, 48, 30 * 24]) });
  } else if (change === "archive") {
    settings.archived = true;
    await ledger.patchStream(...OF, { archiveDays: random.pick([null, 2, 20]) });
  } else if ((await ledger.getStream(...OF)).epochs === undefined) {
    await ledger.patchStream(...OF, { partitions: random.pick([1, 3, 4]) });
  }
}
