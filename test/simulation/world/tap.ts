import { unpackBatch } from "../../../packages/core/src/log/codec.ts";
import { earliestOf } from "../../../packages/core/src/model/archive.ts";
import type { StoredEvent } from "../../../packages/core/src/model/event.ts";
import type { RungKey } from "../../../packages/core/src/push/ring.ts";
import type { Batch } from "../../../packages/core/src/table/batch.ts";
import type { Delivered, EventRef } from "../checker/history.ts";
import type { Item } from "../dynamodb/value.ts";
import type { Recorder } from "./recorder.ts";
import type { SimulatedStore } from "./tables.ts";

/** Watches the store and records its content in the history. */
export type Tap = {
  /** Returns the partition keys of the log that were written since the last call. */
  takeTouched(): string[];
  /** Returns the keys of the rows that ring pushes and were written since the last call. */
  takeRung(): RungKey[];
  /** The next call of `takeRung` returns these keys too. */
  ringAgain(keys: readonly RungKey[]): void;
  /** Records the compacted state of the current life, partition by partition. */
  noteCompacted(): void;
  /** Returns the history's name for the stream's present life, if it has one. */
  liveUid(name: string): string | undefined;
  /** Returns the first partition of the last epoch of the stream. */
  firstPartition(): number;
  /** Returns the history's name for the life in a cursor. */
  nameOf(lifeText: string): string;
  /** Watches the table that a restore has created. Each life of the copy gets a new name. */
  restored(copy: Copy, restore: number): readonly { from: string; to: string }[];
  /** Returns the name that the history uses now for each life. */
  names(): ReadonlyMap<string, string>;
};

/** The rows of the table at one moment, and the history's names for the lives at that moment. */
export type Copy = {
  readonly id: number;
  readonly items: readonly Item[];
  readonly names: ReadonlyMap<string, string>;
};

const LIFE = /^STREAM#[^#]+#(?<uid>[^#]+)#/;
/** The minimum by which a repair raises the numbering. */
const REPAIR = 100_000_000_000;

const BATCHES = /^STREAM#[^#]+#(?<uid>[^#]+)#P(?<partition>\d+)$/;
const OFFSETS = /^STREAM#[^#]+#(?<uid>[^#]+)#SUB#(?<subscription>[^#]+)$/;
const COMPACTED = /^STREAM#[^#]+#(?<uid>[^#]+)#COMPACT#/;

/** Creates a tap. It sees every change at its moment and loses none. */
export function createTap(store: SimulatedStore, recorder: Recorder): Tap {
  const touched: string[] = [];
  const rung: RungKey[] = [];
  let names: ReadonlyMap<string, string> = new Map();
  const texts = new Map<string, string>();
  const nameOf = (uid = ""): string => names.get(uid) ?? uid;
  store.watch(({ pk, sk }, before, after, expired = false) => {
    if (expired) recorder.count(`expired.${sk.split("#")[0]}`);
    if (expired && isUnseen(pk, before)) recorder.count("expired.unseen");
    if (after === undefined) {
      if (!expired && sk.startsWith("SEQ#")) noteRemoved(pk, before);
      return;
    }
    const batch = BATCHES.exec(pk)?.groups;
    if (batch !== undefined && sk.startsWith("SEQ#")) {
      touched.push(pk);
      rung.push({ pk, sk });
      const note = noteBatchItem(after, nameOf(batch.uid), Number(batch.partition));
      recorder.note({ ...note, seen: true });
    } else if (batch !== undefined && sk === "CHECKPOINT") {
      const held = after.archiving === true ? { archivedTo: after.archivedTo as number } : {};
      const at = { checkpoint: after.next as number, floor: after.floor as number, ...held };
      const place = { life: nameOf(batch.uid), partition: Number(batch.partition) };
      if (isRepair(before, after)) recorder.note({ op: "repair", ...place, next: at.checkpoint });
      recorder.note({ op: "checkpoint", ...place, ...at });
    } else if (sk === "BELL") {
      rung.push({ pk, sk });
    } else if (sk.startsWith("OFFSET#")) {
      noteOffset(after, OFFSETS.exec(pk)?.groups);
    } else if (sk.startsWith("KEY#")) {
      noteRow(after, nameOf(COMPACTED.exec(pk)?.groups?.uid));
    } else if (sk.startsWith("ERASURE#") && pk.startsWith("STREAM#")) {
      noteErasure(before, after);
    } else if (sk === "META") {
      const uid = String(after.uid);
      if (isRestored(after.restored)) {
        texts.set(`${uid}.${after.restored.at.toString(36)}`, nameOf(uid));
      }
      if (after.growing !== before?.growing) noteGrowing(after, nameOf(uid));
    }
  });

  /** Returns whether no compaction has seen an expired batch. */
  function isUnseen(pk: string, before: Item | undefined): boolean {
    if (before?.f === undefined || !BATCHES.test(pk)) return false;
    const next = store.peek({ pk, sk: "CHECKPOINT" })?.next;
    return next !== undefined && Number(before.f) >= Number(next);
  }

  /** Only the archiver removes batches of a stream that exists. */
  function noteRemoved(pk: string, before: Item | undefined): void {
    const { uid, partition } = BATCHES.exec(pk)?.groups ?? {};
    const checkpoint = store.peek({ pk, sk: "CHECKPOINT" });
    const life = nameOf(uid);
    if (life !== liveUid("orders") || checkpoint === undefined || before === undefined) return;
    recorder.note({
      op: "removed",
      life,
      partition: Number(partition),
      next: Number(before.f) + Number(before.n),
      floor: checkpoint.floor as number,
      archivedTo: (checkpoint.archivedTo as number | undefined) ?? 0,
    });
  }

  /** Records that an erasure begins, and that it has rewritten everything. */
  function noteErasure(before: Item | undefined, after: Item): void {
    const { uid, key, id, phase, tombstone } = after;
    const at = { life: nameOf(String(uid)), key: String(key) };
    if (before === undefined) {
      recorder.note({ op: "erasing", ...at, n: erasureNumber(String(id)) });
      return;
    }
    if (isRewritten(phase) && !isRewritten(before.phase)) {
      recorder.note({ op: "erased", ...at, until: Number(tombstone) });
    }
  }

  function noteOffset(item: Item, groups: Record<string, string> | undefined): void {
    recorder.note({
      op: "offset",
      life: nameOf(groups?.uid),
      subscription: groups?.subscription ?? "",
      partition: item.p as number,
      generation: item.g as number,
      next: item.n as number,
      ...(item.k === undefined ? {} : { token: item.k as number }),
      ...(item.o === undefined ? {} : { owner: String(item.o) }),
    });
  }

  /** Records that the stream is about to get another number of partitions. */
  function noteGrowing({ growing, epochs, partitions }: Item, life: string): void {
    if (typeof growing !== "number") return;
    const last = (epochs as readonly { readonly partitions: number }[] | undefined)?.at(-1);
    const from = last?.partitions ?? Number(partitions);
    recorder.count(growing > 3 ? "growing.by-itself" : "growing.asked");
    recorder.note({ op: "growing", life, from, to: growing });
  }

  function noteRow(item: Item, life = ""): void {
    recorder.note({
      op: "row",
      life,
      partition: item.p as number,
      row: [String(item.k), item.s as number, item.x === true],
    });
  }

  const liveUid = (name?: string): string | undefined => {
    const uid = liveUidOf(store, name);
    return uid === undefined ? undefined : nameOf(uid);
  };

  const firstPartition = (): number => {
    const meta = store.peek({ pk: "STREAM#orders", sk: "META" });
    const epochs = meta?.epochs as readonly { readonly first: number }[] | undefined;
    return epochs?.at(-1)?.first ?? 0;
  };

  const noteCompacted = (): void => {
    const rows = new Map<string, [key: string, sequence: number, dead: boolean][]>();
    const live = liveUid();
    const checkpoints: { life: string; partition: number; item: Item }[] = [];
    for (const item of store.items()) {
      const pk = String(item.pk);
      const uid = COMPACTED.exec(pk)?.groups?.uid;
      if (uid !== undefined) {
        const id = `${nameOf(uid)}/${item.p}`;
        const list = rows.get(id) ?? [];
        rows.set(id, list);
        list.push([String(item.k), item.s as number, item.x === true]);
      } else if (item.sk === "CHECKPOINT") {
        const { uid, partition } = BATCHES.exec(pk)?.groups ?? {};
        checkpoints.push({ life: nameOf(uid), partition: Number(partition), item });
      }
    }
    for (const { life, partition, item } of checkpoints) {
      if (life !== live) continue;
      recorder.note({
        op: "compacted",
        life,
        partition,
        checkpoint: item.next as number,
        floor: earliestOf(item as never),
        rows: rows.get(`${life}/${partition}`) ?? [],
      });
    }
  };

  const restored: Tap["restored"] = (copy, restore) => {
    touched.length = 0;
    rung.length = 0;
    const uids = new Set(copy.items.map(uidOf).filter((uid) => uid !== undefined));
    names = new Map(Array.from(uids, (uid) => [uid, `${uid}~${restore}`]));
    return Array.from(uids, (uid) => ({ from: copy.names.get(uid) ?? uid, to: nameOf(uid) }));
  };

  return {
    takeTouched: () => touched.splice(0),
    takeRung: () => rung.splice(0),
    ringAgain: (keys) => void rung.push(...keys),
    noteCompacted,
    liveUid,
    firstPartition,
    nameOf: (text) => texts.get(text) ?? text,
    restored,
    names: () => names,
  };
}

/** Returns the life that a row belongs to. */
const uidOf = ({ pk, sk, uid }: Item): string | undefined =>
  sk === "META" ? String(uid) : LIFE.exec(String(pk))?.groups?.uid;

const isRestored = (value: unknown): value is { readonly at: number } =>
  typeof value === "object" && value !== null && "at" in value && typeof value.at === "number";

/**
 * Returns whether a change is a repair. A restore also repairs the numbering if no process has
 * checked it for 30 days.
 */
const isRepair = (before: Item | undefined, after: Item): boolean =>
  before !== undefined &&
  after.floor === after.next &&
  (after.next as number) - (before.next as number) >= REPAIR &&
  JSON.stringify(before.lost) === JSON.stringify(after.lost);

/** The rows of a transaction appear and disappear one by one, so both rows of a life must exist. */
const liveUidOf = (store: SimulatedStore, name = "orders"): string | undefined => {
  const meta = store.peek({ pk: `STREAM#${name}`, sk: "META" });
  const listed = store.peek({ pk: "TENANT#default", sk: `STREAM#${name}` });
  return meta?.status === "live" && listed?.uid === meta.uid ? String(meta.uid) : undefined;
};

/** Records a stored batch in the history. */
export function noteBatchItem(
  item: Readonly<Record<string, unknown>>,
  life: string,
  partition: number,
) {
  const { f: first, k: kind, t: publishedAtMs, expiresAt } = item;
  return {
    op: "batch" as const,
    life,
    partition,
    first: first as number,
    ...(kind === "seal" ? { seal: true as const } : {}),
    ...(kind === "turn" ? { turn: true as const } : {}),
    ...(kind === "jump" ? { jump: item.n as number } : {}),
    publishedAtMs: publishedAtMs as number,
    ...(expiresAt === undefined ? {} : { expiresAtMs: (expiresAt as number) * 1_000 }),
    events: kind === undefined ? eventsOf(item) : [],
  };
}

/** Returns the events of a stored batch, by the numbers of their publishers. */
function eventsOf(item: Readonly<Record<string, unknown>>): EventRef[] {
  const batch = {
    first: item.f,
    count: item.n,
    batchId: item.b,
    publishedAt: item.t,
    rawBytes: item.r,
    payload: item.d,
    ...(item.k === undefined ? {} : { kind: item.k }),
  } as unknown as Batch;
  return unpackBatch(batch).map(refOf);
}

/** Returns whether an erasure has rewritten the table and the archive. */
const isRewritten = (phase: unknown): boolean =>
  phase === "exports" || phase === "rest" || phase === "done";

/** The numbers of publishers are not negative. */
const erasureNumber = (id: string): number => -1 - Number.parseInt(id.slice(-12), 16);

/**
 * Returns an event's own number. It is in the data, or in a header if the event deletes its key.
 * After an erasure, and for a deletion in a list of changes, only its id has it.
 */
export const refOf = (event: {
  readonly id?: string;
  readonly key: string;
  readonly data: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly erased?: true;
  readonly erasure?: string;
}): EventRef => {
  if (event.erasure !== undefined) {
    return { n: erasureNumber(event.erasure), key: event.key, dead: true };
  }
  if (event.erased === true) return { n: Number(event.id), key: event.key, dead: true };
  return event.data === "null"
    ? { n: Number(event.headers?.n ?? event.id), key: event.key, dead: true }
    : { n: JSON.parse(event.data).n, key: event.key };
};

/** Returns an event as the history lists it in an answer. */
export const deliveredOf = (event: StoredEvent): Delivered => {
  const { n } = refOf(event);
  return event.erased === true ? [n, event.sequence, true] : [n, event.sequence];
};
