import { type Chain, type Chains, indexAt, placesTold, type Report } from "./chains.ts";
import type { KeptFor } from "./check.ts";
import type { Info, Invoke, Line } from "./history.ts";
import { isStillKept } from "./retentions.ts";

type Newest = { readonly sequence: number; readonly dead: boolean };

type Seen = Newest & { readonly atMs: number; readonly life?: string | undefined };

type State = {
  readonly chains: Chains;
  readonly report: Report;
  readonly options: KeptFor;
  /** The newest state of each key that was seen in the compacted state, by life. */
  readonly seen: Map<string, Seen>;
  readonly moves: Map<string, { readonly checkpoint: number; readonly floor: number }>;
  readonly acked: Map<string, number[]>;
  /** The end up to which a finished compaction has promised that everything is compacted. */
  readonly promised: Map<string, number[]>;
};

/** The minimum time for which a deleted key stays known as deleted, on any clock. */
const TOMBSTONE_MS = 6 * 24 * 3_600_000;

/** Compares the compacted state with the chains, as seen in the store and as read by clients. */
export function checkCompaction(
  lines: readonly Line[],
  chains: Chains,
  report: Report,
  options: KeptFor,
): void {
  const state: State = {
    chains,
    report,
    options,
    seen: new Map(),
    acked: new Map(),
    promised: new Map(),
    moves: new Map(),
  };
  const copies = new Map<number, ReturnType<typeof copyOf>>();
  const calls = new Map<
    number,
    { invoke: Invoke; acked: readonly number[]; seen: Seen | undefined }
  >();
  for (const line of lines) {
    if (line.type === "invoke") {
      const acked = line.op === "compact" ? [...(state.acked.get(line.life) ?? [])] : [];
      const seen = line.op === "get" ? state.seen.get(line.key) : undefined;
      calls.set(line.call, { invoke: line, acked, seen });
    } else if (line.type === "info") {
      if (line.op === "compacted") checkRows(state, line);
      if (line.op === "checkpoint") checkMove(state, line);
      if (line.op === "removed") checkRemoved(state, line);
      if (line.op === "copied") copies.set(line.copy, copyOf(state));
      if (line.op === "restored") putBack(state, line, copies.get(line.copy));
      if (line.op === "row") {
        const [key, sequence, dead] = line.row;
        const chain = chains.of(line.life, line.partition);
        if (chain !== undefined) checkHeld(state, chain, line, key, { sequence, dead });
      }
    } else if (line.type === "ok") {
      const call = calls.get(line.call);
      if (call === undefined) continue;
      const { invoke } = call;
      if (line.op === "publish" && invoke.op === "publish") note(state, invoke, line);
      if (line.op === "compact" && invoke.op === "compact" && line.done) {
        raise(state.promised, invoke.life, call.acked);
      }
      if (line.op === "get" && invoke.op === "get") checkGet(state, invoke, line, call.seen);
    }
  }
}

function note(
  state: State,
  { events }: Invoke & { op: "publish" },
  { sequences, atMs }: { readonly sequences: readonly number[]; readonly atMs: number },
): void {
  events.forEach(({ n }, index) => {
    const acknowledged = { sequence: sequences[index], atMs };
    for (const { life, partition, sequence } of placesTold(state.chains, n, acknowledged)) {
      const next: number[] = [];
      next[partition] = sequence + 1;
      raise(state.acked, life, next);
    }
  });
}

type Kept = Pick<State, "seen" | "moves" | "promised">;

const copyOf = ({ seen, moves, promised }: Kept): Kept => ({
  seen: new Map(seen),
  moves: new Map(moves),
  promised: new Map(Array.from(promised, ([life, next]) => [life, [...next]])),
});

/**
 * After a restore the compacted state is that of the copy, and the durable events are those that it
 * kept.
 */
function putBack(state: State, { lives }: Info & { op: "restored" }, kept?: Kept): void {
  const { seen, moves, promised, acked, chains } = state;
  const names = new Map(lives.map(({ from, to }) => [from, to]));
  for (const [id] of [...seen]) if (!id.includes("/")) seen.delete(id);
  for (const [id, was] of kept?.seen ?? []) {
    const [life = "", key] = id.split("/");
    const to = names.get(key === undefined ? (was.life ?? "") : life);
    if (to !== undefined) seen.set(key === undefined ? id : `${to}/${key}`, { ...was, life: to });
  }
  for (const [id, move] of kept?.moves ?? []) {
    const [life = "", partition] = id.split("/");
    if (names.has(life)) moves.set(`${names.get(life)}/${partition}`, move);
  }
  for (const [from, to] of names) {
    promised.set(to, [...(kept?.promised.get(from) ?? [])]);
    const end = (next: number, at: number) =>
      Math.min(next ?? 1, chains.restores.keptOf(to, at)?.next ?? 1);
    acked.set(to, (acked.get(from) ?? []).map(end));
  }
}

function raise(bounds: Map<string, number[]>, life: string, to: readonly number[]): void {
  const known = bounds.get(life) ?? [];
  bounds.set(life, known);
  to.forEach((next, partition) => {
    known[partition] = Math.max(known[partition] ?? 1, next ?? 1);
  });
}

/**
 * Checks that a checkpoint and a floor only move forward, and that the floor never passes the
 * checkpoint.
 */
function checkMove({ moves, report }: State, line: Info & { op: "checkpoint" }): void {
  const { life, partition, checkpoint, floor, atMs } = line;
  const id = `${life}/${partition}`;
  const before = moves.get(id) ?? line;
  moves.set(id, line);
  if (checkpoint < before.checkpoint || floor < before.floor || floor > checkpoint) {
    const moved = `checkpoint ${checkpoint} after ${before.checkpoint}, floor ${floor} after ${before.floor}`;
    report("checkpoint-regress", atMs, `${id}: ${moved}`);
  }
  // A repair of the numbering gives up what is before it.
  const isRepair = floor === checkpoint && floor - before.floor > REPAIR;
  if (!isRepair && floor > before.floor && floor > (line.archivedTo ?? Infinity)) {
    report("unarchived", atMs, `${id}: floor ${floor}, archived to ${line.archivedTo}`);
  }
}

/** A repair raises the numbers at least this far. */
const REPAIR = 1e9;

/** Checks that a removed batch was archived, and was below the floor. */
function checkRemoved({ report }: State, line: Info & { op: "removed" }): void {
  const { life, partition, next, floor, archivedTo, atMs } = line;
  if (next <= floor && next <= archivedTo) return;
  const place = `floor ${floor}, archived to ${archivedTo}`;
  report("unarchived", atMs, `${life}/${partition}: removed to ${next}, ${place}`);
}

/**
 * Checks the rows of a partition at one moment. No key may be older than its last event below the
 * checkpoint.
 */
function checkRows(state: State, line: Info & { op: "compacted" }): void {
  const { chains, report, options } = state;
  const { life, partition, checkpoint, floor, atMs } = line;
  const chain = chains.of(life, partition);
  const where = `${life}/${partition}`;
  const promised = state.promised.get(life)?.[partition] ?? 1;
  if (checkpoint < promised) {
    report("stale-compaction", atMs, `${where}: at ${checkpoint}, promised ${promised}`);
  }
  if (chain === undefined) return;
  const lastBelowFloor = chain.events[indexAt(chain, floor) - 1];
  if (lastBelowFloor !== undefined && isStillKept(lastBelowFloor, atMs, options)) {
    report("early-retention", atMs, `${where}: floor ${floor}`);
  }
  const rows = new Map(line.rows.map(([key, sequence, dead]) => [key, { sequence, dead }]));
  // Events that were neither compacted nor checked for 30 days may be lost. A repair reports that.
  for (const [key, last] of lastEvents(chain, checkpoint)) {
    // A key may have a later event in a partition of a later epoch.
    const held = state.seen.get(`${life}/${key}`);
    if (held !== undefined && held.sequence > last.sequence) continue;
    if (last.sequence >= chain.repairedTo) checkRow(state, line, { key, row: rows.get(key), last });
  }
  for (const [key, row] of rows) checkHeld(state, chain, line, key, row);
}

type LastEvent = Newest & { readonly publishedAtMs: number };

function lastEvents(chain: Chain, checkpoint: number): Map<string, LastEvent> {
  const last = new Map<string, LastEvent>();
  for (let index = indexAt(chain, checkpoint) - 1; index >= 0; index--) {
    const event = chain.events[index];
    if (event === undefined || last.has(event.key)) continue;
    const { key, sequence, dead = false, publishedAtMs } = event;
    last.set(key, { sequence, dead, publishedAtMs });
  }
  return last;
}

function checkRow(
  { report }: State,
  { life, atMs }: Info & { op: "compacted" },
  { key, row, last }: { key: string; row: Newest | undefined; last: LastEvent },
): void {
  const what = `key ${key} of ${life}, last event ${last.sequence}`;
  if (row === undefined) {
    if (!last.dead) report("key-regress", atMs, `${what}: it has no row`);
    else if (atMs - last.publishedAtMs < TOMBSTONE_MS) {
      report("key-regress", atMs, `${what}: its deletion is forgotten`);
    }
    return;
  }
  if (row.sequence < last.sequence) {
    const back = last.dead && !row.dead;
    report(
      back ? "resurrected-key" : "key-regress",
      atMs,
      `${what}: its row is of ${row.sequence}`,
    );
  }
}

/** Checks that a row is an event of the log and not older than the row seen before. */
function checkHeld(
  { report, seen }: State,
  chain: Chain,
  { life, atMs }: { readonly life: string; readonly atMs: number },
  key: string,
  row: Newest,
): void {
  const what = `key ${key} of ${life}: row of ${row.sequence}`;
  const event = chain.events[indexAt(chain, row.sequence)];
  const same = event?.key === key && event.sequence === row.sequence;
  if (!same || (event.dead ?? false) !== row.dead) {
    report("inconsistent-offsets", atMs, `${what} is not what the log holds there`);
  }
  const id = `${life}/${key}`;
  const before = seen.get(id);
  const forgotten = before?.dead === true && atMs - before.atMs > TOMBSTONE_MS;
  if (before !== undefined && before.sequence > row.sequence && !forgotten) {
    const back = before.dead && !row.dead;
    report(back ? "resurrected-key" : "key-regress", atMs, `${what} after ${before.sequence}`);
    return;
  }
  seen.set(id, { ...row, atMs });
}

/** Checks that a key that a client reads is an event of the log and never goes back. */
function checkGet(
  { chains, report, seen }: State,
  { key, call }: Invoke & { op: "get" },
  { n, sequence, atMs }: { n: number; sequence: number; atMs: number },
  before: Seen | undefined,
): void {
  // A request with a key that is retried in the next life of the stream is written there again.
  const lives = chains
    .placesIn(n, atMs, atMs)
    .filter((place) => place.sequence === sequence)
    .map(({ life }) => life);
  if (lives.length === 0) {
    report("inconsistent-offsets", atMs, `get ${call}: event ${n} is not at ${sequence}`);
    return;
  }
  const fell = before !== undefined && before.sequence > sequence;
  if (fell && lives.every((life) => life === before.life)) {
    report("key-regress", atMs, `get ${call} of ${key}: ${sequence} after ${before.sequence}`);
  }
  seen.set(key, { sequence, dead: false, life: lives.at(-1), atMs });
}
