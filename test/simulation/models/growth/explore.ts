import {
  type Entry,
  endOf,
  type GrowthStep,
  growthWrite,
  hasTurn,
  lastEpoch,
  partitionOf,
  partitionsOf,
  planGrowth,
  put,
  type Rules,
  startOf,
  type Table,
} from "./design.ts";

/** A publisher of events of one key. It sends each event after the answer to the previous one. */
type Publisher = {
  readonly key: string;
  readonly left: number;
  readonly sent: number;
  /** The epochs that it knows. */
  readonly epochs: Table["epochs"];
  /** The end that it has read, and extends next. */
  readonly end?: number | undefined;
};

/** A process that continues a change. It may stop after any step. */
type Grower = { readonly step?: GrowthStep | undefined; readonly stopped: boolean };

/** A reader in the middle of a page, or before one. */
type Reader = {
  readonly epochs: Table["epochs"];
  readonly positions: Readonly<Record<number, number>>;
  /** The partitions that this page still has to read. Undefined between pages. */
  readonly page?: readonly number[] | undefined;
  /** The number of events that were acknowledged when the page began. */
  readonly acked: number;
  readonly seen: readonly string[];
  /** The number of pages that it may still read. */
  readonly left: number;
  /** True while the page reads the last epoch that it knows. Other pages are not caught up. */
  readonly atLast: boolean;
  /** True once the page has reached no turn, or has read the stream's row after it. */
  readonly current: boolean;
};

export type State = {
  readonly table: Table;
  readonly publishers: readonly Publisher[];
  readonly growers: readonly Grower[];
  readonly reader: Reader;
  /** The acknowledged events, in the order of their answers. */
  readonly acked: readonly string[];
  /** The highest sequence of each key. */
  readonly highest: Readonly<Record<string, number>>;
};

export type Scope = {
  readonly partitions: number;
  readonly wanted: number;
  /** The key of each publisher, and the number of events that it sends. */
  readonly publishers: readonly (readonly [key: string, events: number])[];
  readonly growers: number;
  readonly pages: number;
};

export class Violation extends Error {
  override readonly name = "Violation";
}

const nameOf = (entry: Entry): string => (entry === "turn" ? entry : `${entry.key}${entry.n}`);

function beginning({ partitions, wanted, publishers, growers, pages }: Scope): State {
  const epochs = [{ first: 0, partitions, start: 1 }];
  return {
    table: { epochs, wanted, chains: {} },
    publishers: publishers.map(([key, left]) => ({ key, left, sent: 0, epochs })),
    growers: Array.from({ length: growers }, () => ({ stopped: false })),
    reader: {
      epochs,
      positions: {},
      acked: 0,
      seen: [],
      left: pages,
      atLast: true,
      current: false,
    },
    acked: [],
    highest: {},
  };
}

const replaced = <T>(all: readonly T[], at: number, one: T): T[] => all.with(at, one);

/** Returns every state that one step of a publisher leads to. */
function publish(state: State, at: number, rules: Rules): State[] {
  const publisher = state.publishers[at];
  if (publisher === undefined || publisher.left === 0) return [];
  const { table } = state;
  const become = (of: Partial<Publisher>, more: Partial<State> = {}): State => ({
    ...state,
    ...more,
    publishers: replaced(state.publishers, at, { ...publisher, ...of }),
  });
  const partition = partitionOf(publisher.key, lastEpoch(publisher));
  if (publisher.end === undefined) {
    if (!hasTurn(table, partition)) return [become({ end: endOf(table, partition) })];
    // The publisher has read a turn. It reads the stream's row, or makes the next step of the
    // change itself.
    if (table.epochs.length > publisher.epochs.length) return [become({ epochs: table.epochs })];
    const step = planGrowth(table, rules);
    return step === undefined ? [] : [become({}, { table: growthWrite(table, step, rules) })];
  }
  const n = publisher.sent + 1;
  const written = put(table, partition, publisher.end, { key: publisher.key, n });
  if (written === undefined) return [become({ end: undefined })];
  const { highest } = state;
  if (publisher.end <= (highest[publisher.key] ?? 0)) {
    throw new Violation(`${publisher.key}${n} has the sequence ${publisher.end} again, or a lower`);
  }
  return [
    become(
      { left: publisher.left - 1, sent: n, end: undefined },
      {
        table: written,
        acked: [...state.acked, `${publisher.key}${n}`],
        highest: { ...highest, [publisher.key]: publisher.end },
      },
    ),
  ];
}

/**
 * Returns every state that one step of a grower leads to: a plan, its write, or the grower's end.
 */
function grow(state: State, at: number, rules: Rules): State[] {
  const grower = state.growers[at];
  if (grower === undefined || grower.stopped) return [];
  const become = (of: Grower, table = state.table): State => ({
    ...state,
    table,
    growers: replaced(state.growers, at, of),
  });
  const stopped = become({ stopped: true });
  if (grower.step !== undefined) {
    return [stopped, become({ stopped: false }, growthWrite(state.table, grower.step, rules))];
  }
  const step = planGrowth(state.table, rules);
  return step === undefined ? [stopped] : [stopped, become({ stopped: false, step })];
}

/**
 * Returns the partitions that a page reads, in order: those of one epoch, or all of them without
 * the rule.
 */
function pageOf(reader: Reader, table: Table, rules: Rules): number[] {
  const isDrained = (partition: number) =>
    hasTurn(table, partition) && positionOf(reader, partition) >= endOf(table, partition);
  const epochs = rules.drainsFirst ? reader.epochs : [...reader.epochs].toReversed();
  const open = epochs.filter((epoch) => !partitionsOf(epoch).every(isDrained));
  const read = rules.drainsFirst ? open.slice(0, 1) : open;
  return (read.length === 0 ? reader.epochs.slice(-1) : read).flatMap(partitionsOf);
}

const positionOf = (reader: Reader, partition: number): number =>
  reader.positions[partition] ?? startOf(reader, partition);

/** Returns every state that one step of the reader leads to. */
function read(state: State, rules: Rules): State[] {
  const { reader, table } = state;
  const become = (of: Partial<Reader>): State => ({ ...state, reader: { ...reader, ...of } });
  if (reader.page === undefined) {
    if (reader.left === 0) return [];
    // The reader uses the remembered row of the stream, or reads it again.
    return [reader.epochs, table.epochs].map((epochs) => {
      const page = pageOf({ ...reader, epochs }, table, rules);
      const acked = state.acked.length;
      const atLast = page.includes(lastEpoch({ epochs }).first);
      return become({ epochs, page, acked, left: reader.left - 1, atLast, current: false });
    });
  }
  const [partition, ...rest] = reader.page;
  if (partition === undefined) return [endPage(state, rules)];
  const from = positionOf(reader, partition);
  const events = (table.chains[partition] ?? []).filter((entry) => entry !== "turn");
  const found = events.slice(from - startOf(reader, partition));
  const seen = [...reader.seen, ...found.map(nameOf)];
  assertInOrder(seen);
  const positions = { ...reader.positions, [partition]: from + found.length };
  const current = reader.current || !hasTurn(table, partition);
  return [become({ page: rest, seen, positions, current })];
}

/**
 * Ends a page. If the page is caught up, every event that was acknowledged before it began must
 * have been delivered.
 */
function endPage(state: State, rules: Rules): State {
  const { reader, table } = state;
  const over: Reader = { ...reader, page: undefined };
  if (!reader.atLast && rules.lastOnly) return { ...state, reader: over };
  if (
    reader.atLast &&
    !reader.current &&
    rules.looksAgain &&
    table.epochs.length > reader.epochs.length
  ) {
    return { ...state, reader: { ...over, epochs: table.epochs, left: reader.left + 1 } };
  }
  const missing = state.acked.slice(0, reader.acked).filter((name) => !reader.seen.includes(name));
  if (missing.length > 0) throw new Violation(`caught up without ${missing.join()}`);
  return { ...state, reader: over };
}

function assertInOrder(seen: readonly string[]): void {
  const last = new Map<string, number>();
  for (const name of seen) {
    const [key = "", n] = [name.slice(0, 1), Number(name.slice(1))];
    if (n !== (last.get(key) ?? 0) + 1) throw new Violation(`${name} comes after ${seen.join()}`);
    last.set(key, n);
  }
}

/** Reads a finished table as a new reader: every acknowledged event must be there, in order. */
function readAll({ table, acked }: State): void {
  const seen = table.epochs
    .flatMap(partitionsOf)
    .flatMap((partition) => (table.chains[partition] ?? []).filter((entry) => entry !== "turn"))
    .map(nameOf);
  assertInOrder(seen);
  const lost = acked.filter((name) => !seen.includes(name));
  if (lost.length > 0) throw new Violation(`${lost.join()} is acknowledged and lost`);
}

/**
 * Tries every order of steps within a scope and returns how many states there are. Throws a
 * Violation at the first state that breaks a promise.
 */
export function exploreAll(scope: Scope, rules: Rules): number {
  const first = beginning(scope);
  const known = new Set([JSON.stringify(first)]);
  const open = [first];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    readAll(state);
    const next = [
      ...state.publishers.flatMap((_, at) => publish(state, at, rules)),
      ...state.growers.flatMap((_, at) => grow(state, at, rules)),
      ...read(state, rules),
    ];
    const waits = state.publishers.some(({ left }) => left > 0);
    if (next.length === 0 && waits) throw new Violation("a publisher waits for ever");
    for (const one of next) {
      const text = JSON.stringify(one);
      if (known.has(text)) continue;
      known.add(text);
      open.push(one);
    }
  }
  return known.size;
}
