import { changeOf } from "../../../../packages/core/src/model/change.ts";
import { isTombstone, type StoredEvent } from "../../../../packages/core/src/model/event.ts";
import type { Life } from "../../../../packages/core/src/model/names.ts";
import {
  type Bootstrap,
  isScanned,
} from "../../../../packages/core/src/model/snapshot-progress.ts";
import type { CoreOfLists } from "./core-of-lists.ts";
import { type Rows, tableOf } from "./memory-table.ts";

/** An event of a program: it puts or deletes a key. A batch has one or more. */
export type SmallEvent = { readonly key: string; readonly deletes: boolean };
export type SmallLog = readonly (readonly SmallEvent[])[];

/** Thrown when a promise does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

const LIFE = "orders#1" as Life;
const STREAM = { life: LIFE, partitions: 1, compaction: "key" as const };
const NOW_MS = Date.UTC(2026, 0, 1);
const clock = { now: () => NOW_MS, monotonic: () => 0, sleep: async () => {} };

type Waiting = { readonly process: string; readonly life: number; readonly go: () => void };

/** A step that can happen next. */
export type Step = { readonly name: string; readonly run: () => void | Promise<void> };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Where the reader begins, how often processes crash, how many of them list changes, and whether
 * the oldest part of the list may be dropped.
 */
export type Scene = {
  readonly since: number;
  readonly crashes: number;
  readonly listers: number;
  readonly drops: boolean;
};

/**
 * One partition with a log that grows batch by batch, a compactor, processes that list changes, and
 * a reader that has the state before `since` and reads the difference, page by page. Requests
 * wait for their turn, and each process may crash `crashes` times at any of them. Rows of deleted
 * keys expire, and the oldest part of the list may be dropped once.
 */
export function createWorld(
  core: CoreOfLists,
  log: SmallLog,
  { since, crashes, listers, drops }: Scene,
) {
  const events = log.flatMap((batch, at) =>
    batch.map(({ key, deletes }, index): StoredEvent => {
      const first = 1 + log.slice(0, at).reduce((sum, { length }) => sum + length, 0);
      const sequence = first + index;
      const data = (deletes ? "null" : String(sequence)) as never;
      return { sequence, key, data, id: `id-${sequence}`, publishedAt: NOW_MS };
    }),
  );
  const rows: Rows = {
    batches: [],
    checkpoint: {
      ...{ next: 1, floor: 1, events: 0, bytes: 0 },
      ...{ checkedAt: NOW_MS, compactedThrough: NOW_MS, floorAt: NOW_MS },
    },
    list: undefined,
    chunks: new Map(),
    states: new Map(),
  };
  const waiting: Waiting[] = [];
  const lives = new Map<string, number>();
  const busy = new Set<string>();
  let left = crashes;
  let failure: unknown;
  let ids = 0;
  let put = 1;
  let isTrimmed = false;
  /** What the processes have seen, by their names. It decides everything that they do next. */
  const seen = new Map<string, string>();

  const gateOf = (process: string) => {
    const life = lives.get(process) ?? 0;
    return <T>(request: () => T): Promise<T> =>
      new Promise((resolve) => {
        const go = () => {
          const answer = request();
          seen.set(process, `${seen.get(process) ?? ""}${printOf(answer)};`);
          resolve(answer);
        };
        waiting.push({ process, life, go });
      });
  };
  const random = {
    fraction: () => 0.5,
    bytes: (count: number) => {
      const bytes = new Uint8Array(count);
      new DataView(bytes.buffer).setUint32(0, ++ids);
      return bytes;
    },
  };
  const depsOf = (process: string) =>
    ({ table: tableOf(rows, gateOf(process)), clock, random }) as never;

  function start(process: string, work: () => Promise<void>): void {
    const life = lives.get(process) ?? 0;
    busy.add(process);
    const isAlive = () => (lives.get(process) ?? 0) === life;
    work()
      .catch((error: unknown) => {
        if (isAlive()) failure ??= error;
      })
      .finally(() => {
        if (!isAlive()) return;
        busy.delete(process);
        // It begins its next work without any memory. The reader remembers changes.
        if (process !== "reader") seen.delete(process);
      });
  }

  function crash(process: string): void {
    left--;
    lives.set(process, (lives.get(process) ?? 0) + 1);
    seen.delete(process);
    busy.delete(process);
    for (let at = waiting.length - 1; at >= 0; at--) {
      if (waiting[at]?.process === process) waiting.splice(at, 1);
    }
    if (process === "reader") Object.assign(reader, { ...reader.saved, differences: undefined });
  }

  const list = async (process: string) => {
    try {
      await core.listChanges(
        depsOf(process),
        { life: LIFE, partition: 0 },
        { until: rows.checkpoint.next },
      );
    } catch (error) {
      if (codeOf(error) !== "stream-busy") throw error;
    }
  };

  type Reading = {
    bootstrap: Bootstrap | undefined;
    delivered: readonly StoredEvent[];
    isOver: boolean;
  };
  const reader: Reading & {
    saved: Reading;
    differences: ReturnType<CoreOfLists["createDifferences"]> | undefined;
  } = {
    ...{ bootstrap: undefined, delivered: [], isOver: false, differences: undefined },
    saved: { bootstrap: undefined, delivered: [], isOver: false },
  };
  const position = { batch: batchOf(log, since), next: since };

  /** Reads the next page of one event, and ends the reading after the last one. */
  const readOn = async (limit: number) => {
    reader.differences ??= core.createDifferences(depsOf("reader"));
    const { differences } = reader;
    try {
      reader.bootstrap ??= await differences.begin(STREAM, { since: [position], startedAt: 0 });
      const page = await differences.loadPage(STREAM, reader.bootstrap, { limit });
      reader.bootstrap = page.bootstrap;
      reader.delivered = [...reader.delivered, ...page.events];
      if (page.ended !== isScanned(page.bootstrap)) throw new Violation("the end is not the end");
      if (page.ended) {
        reader.isOver = true;
        assertExact(events, since, reader.bootstrap, reader.delivered);
      }
    } catch (error) {
      if (codeOf(error) !== "changes-passed" || !isTrimmed) throw error;
      reader.isOver = true;
    }
  };

  /** Returns the steps that can happen next. `detail` makes the same choices in each of them. */
  function steps(detail: number): Step[] {
    const found: Step[] = [];
    const can = (name: string, run: Step["run"]) => found.push({ name, run });
    for (const each of waiting) {
      can(`answer ${each.process}`, () => {
        waiting.splice(waiting.indexOf(each), 1);
        each.go();
      });
    }
    const next = log[rows.batches.length];
    const end = 1 + rows.batches.reduce((sum, { count }) => sum + count, 0);
    if (next !== undefined) {
      can("append", () => {
        const some = events.slice(end - 1, end - 1 + next.length);
        rows.batches.push(core.batchOf(some));
      });
    }
    if (put < end) {
      can("put rows", () => {
        for (const event of events.slice(0, end - 1)) {
          const row = core.rowOf(event);
          const present = rows.states.get(row.key);
          if (present === undefined || present.sequence < row.sequence) {
            rows.states.set(row.key, row);
          }
        }
        put = end;
      });
    }
    for (const { first, count } of rows.batches) {
      const to = first + count;
      if (to <= rows.checkpoint.next || to > put) continue;
      can(`move to ${to}`, () => {
        rows.checkpoint = { ...rows.checkpoint, next: to };
      });
    }
    for (const row of rows.states.values()) {
      if (row.deleted !== true || row.sequence >= rows.checkpoint.next) continue;
      can(`expire ${row.key}`, () => void rows.states.delete(row.key));
    }
    const [oldest, ...others] = rows.list?.chunks ?? [];
    if (drops && !isTrimmed && oldest !== undefined && rows.list !== undefined) {
      const present = rows.list;
      can("drop the oldest part", () => {
        isTrimmed = true;
        rows.list = { ...present, from: oldest.to, chunks: others, revision: "trimmed" };
        rows.chunks.delete(oldest.id);
      });
    }
    for (let number = 1; number <= listers; number++) {
      const process = `lister ${number}`;
      const isDue = rows.checkpoint.next > (rows.list?.to ?? 1);
      if (!busy.has(process) && isDue) can(process, () => start(process, () => list(process)));
    }
    if (!busy.has("reader") && !reader.isOver) {
      // A cursor exists only after what it covers.
      if (end >= since) {
        can("reader", () => start("reader", () => readOn(1 + (detail % 2))));
      }
      const { bootstrap, delivered, isOver } = reader;
      if (bootstrap !== reader.saved.bootstrap) {
        can("commit", () => {
          reader.saved = { bootstrap, delivered, isOver };
        });
      }
    }
    if (left > 0) for (const process of busy) can(`crash ${process}`, () => crash(process));
    return found;
  }

  return {
    steps,
    isOver: () => reader.isOver,
    async run(step: Step): Promise<void> {
      await step.run();
      await turn();
      if (failure !== undefined) throw failure;
    },
    /** A text that is the same in two worlds that cannot differ from now on. */
    state: (): string => {
      const { batches, checkpoint, list: present, chunks, states } = rows;
      const table = {
        ...{ batches: batches.length, next: checkpoint.next, pins: checkpoint.pins?.[0]?.at },
        ...{ put, isTrimmed, left, from: present?.from, to: present?.to },
        chunks: present?.chunks.map(({ to, count, level }) => [to, count, level]),
        stored: chunks.size,
        states: [...states.values()].map(({ key, sequence }) => [key, sequence]).sort(),
      };
      const { bootstrap, saved, delivered } = reader;
      const place = (of: Bootstrap | undefined) => [of?.scan, of?.starts, of?.exactFrom];
      const reading = [place(bootstrap), place(saved.bootstrap), delivered.map((e) => e.sequence)];
      const processes = [...seen, ...busy, waiting.map(({ process }) => process)];
      return JSON.stringify([table, reading, saved.delivered.length, processes]);
    },
  };
}

/** What a process learns from an answer. Ids are made up, so only their order could matter. */
const printOf = (answer: unknown): string =>
  JSON.stringify(answer, (name, value) =>
    ["payload", "id", "revision", "batchId"].includes(name) ? undefined : value,
  ) ?? "";

const batchOf = (log: SmallLog, next: number): number => {
  let first = 1;
  for (const batch of log) {
    if (next < first + batch.length) break;
    first += batch.length;
  }
  return first;
};

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

type View = Map<string, number>;

const applied = (view: View, event: StoredEvent): void => {
  if (isTombstone(event)) view.delete(event.key);
  else view.set(event.key, event.sequence);
};

/**
 * Checks that the difference has each key once, as the log has it, and that it makes the state
 * before `since` exact: from `exactFrom` on, it is the fold of the log.
 */
function assertExact(
  events: readonly StoredEvent[],
  since: number,
  { exactFrom, starts }: Bootstrap,
  delivered: readonly StoredEvent[],
): void {
  const view: View = new Map();
  for (const event of events) if (event.sequence < since) applied(view, event);
  const keys = new Set<string>();
  for (const event of delivered) {
    const original = events[event.sequence - 1];
    if (JSON.stringify(changeOf(event)) !== JSON.stringify(original && changeOf(original))) {
      throw new Violation(`${event.sequence} is not as it was published`);
    }
    if (keys.has(event.key)) throw new Violation(`${event.key} comes twice`);
    if (event.sequence < since) throw new Violation(`${event.key} has not changed`);
    keys.add(event.key);
    applied(view, event);
  }
  const [exact = 1] = exactFrom;
  const [start = 1] = starts;
  const fold: View = new Map();
  for (let at = 1; at <= events.length + 1; at++) {
    const event = events[at - 1];
    const print = (of: View) => JSON.stringify([...of].sort());
    if (at >= Math.max(exact, start, since) && print(view) !== print(fold)) {
      throw new Violation(`at ${at}: have ${print(view)}, the log folds to ${print(fold)}`);
    }
    if (event === undefined) return;
    applied(fold, event);
    if (at >= Math.max(start, since)) {
      const present = view.get(event.key) ?? 0;
      if (present >= at) throw new Violation(`${event.key} falls from ${present} to ${at}`);
      applied(view, event);
    }
  }
}
