import { once } from "node:events";
import {
  createLedger,
  defaultTenant,
  type Ledger,
  type LedgerDeps,
  LedgerError,
  type StoredEvent,
} from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import type { Item } from "../../dynamodb/value.ts";
import type { FakeObject } from "../../objects/bucket.ts";
import { createFakeObjects } from "../../objects/fake-objects.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const NAME = "orders";
export const TABLE = "archive";

export type WorldOptions = {
  readonly seed?: number;
  readonly retentionHours?: number;
  readonly archiveDays?: number | null;
  readonly partitions?: number;
  readonly compaction?: "key" | "none";
  /** Called before each request to the table, with its label. */
  readonly gate?: (label: string) => Promise<void>;
  readonly observeArchive?: LedgerDeps["observeArchive"];
  /** A world whose table, bucket and time this one begins with. */
  readonly from?: Saved;
};

/** What is left of a world when all its processes end. */
export type Saved = {
  readonly nowMs: number;
  readonly rows: readonly Item[];
  readonly objects: ReadonlyMap<string, FakeObject>;
  readonly published: readonly number[];
};

/**
 * Opens a stream with an archive, over a table and a bucket in memory. Time moves only by `pass`.
 */
export async function openArchive({
  seed = 1,
  retentionHours = 1,
  archiveDays = 3_650,
  partitions = 1,
  compaction = "key",
  gate,
  observeArchive,
  from,
}: WorldOptions = {}) {
  const world = { nowMs: from?.nowMs ?? Date.UTC(2026, 0, 1) };
  const nowMs = () => world.nowMs;
  const store = createFakeDynamo({
    tableName: TABLE,
    seed,
    nowMs,
    ...(gate === undefined ? {} : { gate }),
  });
  const bucket = createFakeObjects({ seed, nowMs });
  const clock = {
    now: nowMs,
    monotonic: nowMs,
    sleep: async (_: number, signal?: AbortSignal) =>
      void (signal && (await once(signal, "abort"))),
  };
  let coldReads = 0;
  /** `through` is called around each request to the table and to the bucket. */
  const openLedger = (
    number: number,
    through: Through = (run) => run(),
    more: Pick<LedgerDeps, "rowsTogether"> = {},
  ): Ledger =>
    createLedger({
      ...more,
      client: passing(store.client(), through) as never,
      tableName: TABLE,
      clock,
      random: seededRandom(seed + number),
      cursorKeys: [{ id: 1, secret: Buffer.from("archive") }],
      objects: passing(bucket.objects(), through),
      objectsLock: true,
      observeColdRead: () => void coldReads++,
      observeArchive,
    });
  const ledger = openLedger(1);
  const config = { name: NAME, description: "", compaction, retentionHours } as const;
  if (from === undefined) {
    await ledger.createStream(defaultTenant, { ...config, partitions, archiveDays });
  } else {
    store.load(from.rows);
    for (const [name, object] of from.objects) bucket.stored.set(name, object);
  }
  const published = [...(from?.published ?? [])];

  const publish = async (count: number, bytes = 10, by = ledger): Promise<string> => {
    const events = Array.from({ length: count }, () => {
      const number = published.length + 1;
      published.push(number);
      const data = JSON.stringify({ number, text: "x".repeat(bytes) });
      return { attributes: { key: `k${number % 7}` }, data: data as never };
    });
    return (await by.publish(defaultTenant, NAME, events)).cursor;
  };

  /** Advances the time in steps. After each step there is a sweep, and rows expire. */
  const pass = async (ms: number, stepMs = HOUR_MS, by = ledger) => {
    for (const end = world.nowMs + ms; world.nowMs < end; ) {
      world.nowMs += Math.min(stepMs, end - world.nowMs);
      const { stuck } = await by.sweep();
      for (const { error } of stuck) throw error;
      store.expireItems({ lateMs: 0 });
    }
  };

  /** Returns all events from a place on, page by page. */
  const readAll = async (
    from: string,
    { limit = 100, order, by = ledger }: ReadAll = {},
  ): Promise<StoredEvent[]> => {
    const events: StoredEvent[] = [];
    for (let place = from; ; ) {
      const query = { from: place, limit, ...(order === undefined ? {} : { order }) };
      const page = await by.browse(defaultTenant, NAME, query);
      events.push(...page.events);
      if (page.caughtUp) return events;
      if (events.length > 2 * published.length) throw new Error("Pages repeat events without end");
      place = page.cursor;
    }
  };

  const rows = (kind: "SEQ#" | "SEGMENT#") =>
    store.items().filter(({ sk }) => String(sk).startsWith(kind));

  return {
    world,
    store,
    bucket,
    ledger,
    openLedger,
    published,
    publish,
    pass,
    readAll,
    rows,
    coldReads: () => coldReads,
    save: (): Saved => ({
      nowMs: world.nowMs,
      rows: store.items(),
      objects: new Map(bucket.stored),
      published: [...published],
    }),
    patch: (archive: number | null) =>
      ledger.patchStream(defaultTenant, NAME, { archiveDays: archive }),
  };
}

/** Runs a request. May throw before it or after it. */
export type Through = <T>(run: () => Promise<T>, name: string) => Promise<T>;

/** Returns an object whose asynchronous methods pass through a function. */
const passing = <T extends object>(of: T, through: Through): T =>
  new Proxy(of, {
    get: (target, name) => {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...given: unknown[]) =>
        through(async () => method.apply(target, given), `${String(name)} ${nameOf(given[0])}`);
    },
  });

const nameOf = (given: unknown): string =>
  typeof given === "object" && given !== null ? given.constructor.name : "object";

type ReadAll = {
  readonly limit?: number;
  readonly order?: "asc" | "desc";
  readonly by?: Ledger;
};

/** Returns the code of the problem with which a call fails. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: unknown) => {
      if (error instanceof LedgerError) return error.code;
      throw error;
    },
  );

export const numbersOf = (events: readonly StoredEvent[]): number[] =>
  events.map(({ data }) => JSON.parse(data).number);
