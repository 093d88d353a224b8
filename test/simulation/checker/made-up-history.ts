import { type SeededRandom, seededRandom } from "../dynamodb/seeded-random.ts";
import type { Delivered, EventRef, Line, Mismatch } from "./history.ts";

/**
 * The simplest possible log without faults. Its clients write a history that must pass every check.
 */
type Model = {
  readonly random: SeededRandom;
  readonly lines: Line[];
  readonly partitions: number;
  nowMs: number;
  calls: number;
  events: number;
  lives: number;
  life: string;
  chains: EventRef[][];
  checkpoints: number[];
  readers: Reader[];
};

type Reader = {
  readonly session: string;
  readonly subscription: string;
  readonly bootstrap: boolean;
  at: number[];
  committed: number[];
  kept: number[] | undefined;
  began: boolean;
};

export const RETENTION_MS = 3_600_000;
const KEYS = 4;

/**
 * Returns a correct history of some hundred lines: publishes, pages, commits, crashes, bootstraps
 * and deletions.
 */
export function makeHistory(seed: number | string): Line[] {
  const random = seededRandom(`history ${seed}`);
  const model: Model = {
    random,
    lines: [],
    partitions: random.between(1, 3),
    nowMs: 1_000,
    calls: 0,
    events: 0,
    lives: 0,
    life: "",
    chains: [],
    checkpoints: [],
    readers: [],
  };
  beginLife(model);
  for (let life = 0; life < 2; life++) {
    if (life > 0) endLife(model);
    for (let step = 0; step < 90; step++) takeStep(model);
    compact(model);
  }
  say(model, { type: "info", op: "healed" });
  for (const reader of model.readers) {
    for (let pages = 0; pages < 60 && !isCaughtUp(model, reader); pages++) read(model, reader);
    read(model, reader);
  }
  return model.lines;
}

type Said<T> = T extends unknown ? Omit<T, "atMs" | "process"> & { process?: string } : never;

function say(model: Model, line: Said<Line>): void {
  model.nowMs += model.random.between(1, 20);
  model.lines.push({ process: "-", ...line, atMs: model.nowMs } as Line);
}

function takeStep(model: Model): void {
  const act = model.random.pick([
    publish,
    publish,
    publish,
    readOne,
    readOne,
    readOne,
    compact,
    get,
  ]);
  act(model);
}

function beginLife(model: Model): void {
  const call = ++model.calls;
  say(model, { type: "invoke", op: "create", call, stream: "orders" });
  model.life = `life-${++model.lives}`;
  model.chains = Array.from({ length: model.partitions }, () => []);
  model.checkpoints = model.chains.map(() => 1);
  model.readers = [false, true].map((bootstrap) => ({
    session: `${bootstrap ? "bootstrap" : "follower"}-${model.lives}`,
    subscription: `sub-${bootstrap}-${model.lives}`,
    bootstrap,
    at: model.chains.map(() => 1),
    committed: model.chains.map(() => 1),
    kept: undefined,
    began: false,
  }));
  say(model, { type: "ok", op: "create", call });
  for (const { session } of model.readers) say(model, { type: "info", op: "begin", session });
}

function endLife(model: Model): void {
  const call = ++model.calls;
  const { life } = model;
  say(model, { type: "invoke", op: "delete", call, stream: "orders", life });
  model.chains.forEach((chain, partition) => {
    const seal = { first: chain.length + 1, seal: true, events: [] } as const;
    say(model, { type: "info", op: "batch", life, partition, publishedAtMs: model.nowMs, ...seal });
  });
  say(model, { type: "ok", op: "delete", call });
  beginLife(model);
}

const partitionOf = ({ partitions }: Model, key: string): number =>
  Number(key.slice(4)) % partitions;

function publish(model: Model): void {
  const { random } = model;
  const process = `publisher-${random.between(1, 3)}`;
  const events = Array.from({ length: random.between(1, 3) }, (): EventRef => {
    const key = `key-${random.between(1, KEYS)}`;
    const n = ++model.events;
    return random.chance(0.25) ? { n, key, dead: true } : { n, key };
  });
  if (chanceOf(model).chance(0.3)) expectWhatIs(model, events);
  const outcome = random.pick(["ok", "ok", "ok", "ok", "fail", "unknown"] as const);
  const keyed = random.chance(0.3);
  const head = { op: "publish", stream: "orders", events, ...(keyed ? { keyed } : {}) } as const;
  const call = ++model.calls;
  say(model, { type: "invoke", process, call, ...head });
  const lands = outcome === "ok" || (outcome === "unknown" && random.chance(0.5));
  const sequences = lands ? append(model, events) : [];
  if (outcome === "ok") say(model, { type: "ok", process, op: "publish", call, sequences });
  else if (outcome === "fail" && !keyed) sayRefused(model, process, call);
  else say(model, { type: outcome, process, op: "publish", call, code: "stream-busy" });
  if (!keyed || outcome === "fail") return;
  const again = ++model.calls;
  say(model, { type: "invoke", process, call: again, ...head });
  const answered = lands ? sequences : append(model, events);
  say(model, { type: "ok", process, op: "publish", call: again, sequences: answered });
}

/** A separate source of random numbers, so that other draws stay the same. */
const chanceOf = ({ random, calls }: Model): SeededRandom => random.fork(`expected ${calls}`);

/** Gives the first event of each key an expectation that holds. */
function expectWhatIs(model: Model, events: EventRef[]): void {
  for (const [index, event] of events.entries()) {
    if (events.findIndex(({ key }) => key === event.key) < index) continue;
    const { sequence, deleted } = lastOf(model, event.key);
    const none = deleted && chanceOf(model).chance(0.5);
    events[index] = { ...event, expected: none ? 0 : sequence };
  }
}

function lastOf(model: Model, key: string): Mismatch {
  const chain = model.chains[partitionOf(model, key)] ?? [];
  const index = chain.findLastIndex((event) => event.key === key);
  return { key, sequence: index + 1, deleted: chain[index]?.dead === true };
}

/** Records that nothing was written, because a key was not as expected. */
function sayRefused(model: Model, process: string, call: number): void {
  const key = `key-${chanceOf(model).between(1, KEYS)}`;
  const mismatch = lastOf(model, key);
  const asked = model.lines.at(-1);
  if (asked?.type === "invoke" && asked.op === "publish") {
    const events = [{ n: ++model.events, key, expected: mismatch.sequence + 1 }];
    model.lines[model.lines.length - 1] = { ...asked, events };
  }
  const code = "sequence-mismatch";
  say(model, { type: "fail", process, op: "publish", call, code, mismatches: [mismatch] });
}

function append(model: Model, events: readonly EventRef[]): number[] {
  const { life, chains } = model;
  const sequences = new Map<number, number>();
  for (const [partition, chain] of chains.entries()) {
    const own = events.filter(({ key }) => partitionOf(model, key) === partition);
    if (own.length === 0) continue;
    const first = chain.length + 1;
    for (const event of own) sequences.set(event.n, chain.push(event));
    const times = { publishedAtMs: model.nowMs, expiresAtMs: model.nowMs + RETENTION_MS };
    say(model, { type: "info", op: "batch", life, partition, first, ...times, events: own });
  }
  return events.map(({ n }) => sequences.get(n) ?? 0);
}

function readOne(model: Model): void {
  const reader = model.random.pick(model.readers);
  if (model.random.chance(0.15) && reader.kept !== undefined) {
    say(model, { type: "info", op: "restore", session: reader.session });
    reader.at = [...reader.kept];
    read(model, reader, model.random.chance(0.5));
  } else {
    read(model, reader);
  }
  if (model.random.chance(0.6)) commit(model, reader);
}

const isCaughtUp = ({ chains }: Model, { at, began, bootstrap }: Reader): boolean =>
  (began || !bootstrap) && chains.every((chain, partition) => at[partition] === chain.length + 1);

function read(model: Model, reader: Reader, fromCommitted = false): void {
  const { life, chains, random } = model;
  const { session, subscription } = reader;
  const call = ++model.calls;
  if (reader.bootstrap && !reader.began) {
    readSnapshot(model, reader, call);
    return;
  }
  if (fromCommitted) reader.at = [...reader.committed];
  const start = fromCommitted ? {} : { after: [...reader.at] };
  say(model, {
    type: "invoke",
    op: "read",
    process: session,
    call,
    stream: "orders",
    session,
    ...start,
  });
  const events: Delivered[] = [];
  for (const [partition, chain] of chains.entries()) {
    const from = reader.at[partition] ?? 1;
    const run = chain.slice(from - 1, from - 1 + random.between(0, 4));
    for (const [index, { n }] of run.entries()) events.push([n, from + index]);
    reader.at[partition] = from + run.length;
  }
  const page = {
    life,
    phase: "log",
    events,
    to: [...reader.at],
    subscription,
    generation: 1,
  } as const;
  const caughtUp = isCaughtUp(model, reader);
  say(model, {
    type: "ok",
    op: "read",
    process: session,
    call,
    ...page,
    caughtUp,
    consistent: true,
  });
}

/** Reads the whole snapshot in one page. It is exact at the checkpoints. */
function readSnapshot(model: Model, reader: Reader, call: number): void {
  const { life, chains, checkpoints } = model;
  const { session, subscription } = reader;
  say(model, { type: "invoke", op: "read", process: session, call, stream: "orders", session });
  const events = chains.flatMap((chain, partition) =>
    stateOf(chain, checkpoints[partition] ?? 1).flatMap(({ event, sequence }): Delivered[] =>
      event.dead === true ? [] : [[event.n, sequence]],
    ),
  );
  reader.began = true;
  reader.at = [...checkpoints];
  reader.committed = [...checkpoints];
  const page = { life, phase: "bootstrap", events, to: [...checkpoints], subscription } as const;
  say(model, {
    type: "ok",
    op: "read",
    process: session,
    call,
    ...page,
    generation: 1,
    caughtUp: false,
    consistent: true,
  });
}

/** Returns the last event of every key below a checkpoint. */
function stateOf(chain: readonly EventRef[], checkpoint: number) {
  const last = new Map<string, { event: EventRef; sequence: number }>();
  chain.slice(0, checkpoint - 1).forEach((event, index) => {
    last.set(event.key, { event, sequence: index + 1 });
  });
  return [...last.values()];
}

function commit(model: Model, reader: Reader): void {
  if (reader.bootstrap && !reader.began) return;
  const { session, subscription } = reader;
  const call = ++model.calls;
  say(model, { type: "info", op: "save", session });
  reader.kept = [...reader.at];
  const to = [...reader.at];
  const head = { op: "commit", stream: "orders", subscription, generation: 1, to } as const;
  say(model, { type: "invoke", process: session, call, ...head });
  reader.committed = reader.committed.map((next, partition) => Math.max(next, to[partition] ?? 0));
  reader.committed.forEach((next, partition) => {
    say(model, {
      type: "info",
      op: "offset",
      life: model.life,
      subscription,
      partition,
      generation: 1,
      next,
    });
  });
  const committed = [...reader.committed];
  say(model, { type: "ok", op: "commit", process: session, call, stale: false, committed });
}

function compact(model: Model): void {
  const { life, chains } = model;
  const call = ++model.calls;
  say(model, { type: "invoke", op: "compact", process: "compactor", call, stream: "orders", life });
  chains.forEach((chain, partition) => {
    const rows = stateOf(chain, chain.length + 1).map(
      ({ event: { key, dead = false }, sequence }) => [key, sequence, dead] as const,
    );
    for (const row of rows) say(model, { type: "info", op: "row", life, partition, row });
    const checkpoint = chain.length + 1;
    model.checkpoints[partition] = checkpoint;
    say(model, { type: "info", op: "checkpoint", life, partition, checkpoint, floor: 1 });
  });
  say(model, { type: "ok", op: "compact", process: "compactor", call, done: true });
  chains.forEach((chain, partition) => {
    const checkpoint = model.checkpoints[partition] ?? 1;
    const rows = stateOf(chain, checkpoint).map(
      ({ event: { key, dead = false }, sequence }) => [key, sequence, dead] as const,
    );
    say(model, { type: "info", op: "compacted", life, partition, checkpoint, floor: 1, rows });
  });
}

function get(model: Model): void {
  const key = `key-${model.random.between(1, KEYS)}`;
  const partition = partitionOf(model, key);
  const chain = model.chains[partition] ?? [];
  const state = stateOf(chain, model.checkpoints[partition] ?? 1);
  const found = state.find(({ event }) => event.key === key);
  const call = ++model.calls;
  say(model, { type: "invoke", op: "get", process: "reader", call, stream: "orders", key });
  if (found === undefined || found.event.dead === true) {
    say(model, { type: "fail", op: "get", process: "reader", call, code: "key-not-found" });
    return;
  }
  const { event, sequence } = found;
  say(model, { type: "ok", op: "get", process: "reader", call, n: event.n, sequence });
}
