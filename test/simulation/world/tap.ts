import { unpackBatch } from "../../../packages/core/src/log/codec.ts";
import type { Batch } from "../../../packages/core/src/table/batch.entity.ts";
import type { EventRef } from "../checker/history.ts";
import type { FakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import type { Item } from "../dynamodb/value.ts";
import type { Recorder } from "./recorder.ts";

/** Watches the store and writes into the history what it holds. */
export type Tap = {
  /** Partition keys of the log that were written to since the last time. */
  takeTouched(): string[];
  /** Notes the compacted state of the present life, partition by partition. */
  noteCompacted(): void;
  /** The uid of the stream's present life, if it has one. */
  liveUid(name: string): string | undefined;
};

const BATCHES = /^STREAM#[^#]+#(?<uid>[^#]+)#P(?<partition>\d+)$/;
const OFFSETS = /^STREAM#[^#]+#(?<uid>[^#]+)#SUB#(?<subscription>[^#]+)$/;
const COMPACTED = /^STREAM#[^#]+#(?<uid>[^#]+)#COMPACT#/;

/** Takes the place of the table stream's memory: every change is seen at its moment, and none lost. */
export function createTap(store: FakeDynamo, recorder: Recorder): Tap {
  const touched: string[] = [];
  store.stream.record = ({ pk, sk }, _before, after, expired = false) => {
    if (expired) recorder.count(`expired.${sk.split("#")[0]}`);
    if (after === undefined) return;
    const batch = BATCHES.exec(pk)?.groups;
    if (batch !== undefined && sk.startsWith("SEQ#")) {
      touched.push(pk);
      const note = noteBatchItem(after, batch.uid ?? "", Number(batch.partition));
      recorder.note({ ...note, seen: true });
    } else if (batch !== undefined && sk === "CHECKPOINT") {
      const at = { checkpoint: after.next as number, floor: after.floor as number };
      const { uid: life = "", partition } = batch;
      recorder.note({ op: "checkpoint", life, partition: Number(partition), ...at });
    } else if (sk.startsWith("OFFSET#")) {
      noteOffset(after, OFFSETS.exec(pk)?.groups);
    } else if (sk.startsWith("KEY#")) {
      noteRow(after, COMPACTED.exec(pk)?.groups?.uid);
    }
  };

  function noteOffset(item: Item, names: Record<string, string> | undefined): void {
    recorder.note({
      op: "offset",
      life: names?.uid ?? "",
      subscription: names?.subscription ?? "",
      partition: item.p as number,
      generation: item.g as number,
      next: item.n as number,
    });
  }

  function noteRow(item: Item, life = ""): void {
    recorder.note({
      ...{ op: "row", life, partition: item.p as number },
      row: [String(item.k), item.s as number, item.x === true],
    });
  }

  const noteCompacted = (): void => {
    const rows = new Map<string, [key: string, sequence: number, dead: boolean][]>();
    const live = liveUidOf(store);
    const checkpoints: { life: string; partition: number; item: Item }[] = [];
    for (const item of store.items()) {
      const pk = String(item.pk);
      const life = COMPACTED.exec(pk)?.groups?.uid;
      if (life !== undefined) {
        const id = `${life}/${item.p}`;
        const list = rows.get(id) ?? [];
        rows.set(id, list);
        list.push([String(item.k), item.s as number, item.x === true]);
      } else if (item.sk === "CHECKPOINT") {
        const { uid = "", partition } = BATCHES.exec(pk)?.groups ?? {};
        checkpoints.push({ life: uid, partition: Number(partition), item });
      }
    }
    for (const { life, partition, item } of checkpoints) {
      if (life !== live) continue;
      recorder.note({
        ...{ op: "compacted", life, partition },
        ...{ checkpoint: item.next as number, floor: item.floor as number },
        rows: rows.get(`${life}/${partition}`) ?? [],
      });
    }
  };

  return {
    takeTouched: () => touched.splice(0),
    noteCompacted,
    liveUid: (name) => liveUidOf(store, name),
  };
}

/** A transaction's rows come and go one by one, so both rows of a life have to be there. */
const liveUidOf = (store: FakeDynamo, name = "orders"): string | undefined => {
  const meta = store.peek({ pk: `STREAM#${name}`, sk: "META" });
  const listed = store.peek({ pk: "TENANT#default", sk: `STREAM#${name}` });
  return meta?.status === "live" && listed?.uid === meta.uid ? String(meta.uid) : undefined;
};

/** A stored batch as a line of the history. */
export function noteBatchItem(
  item: Readonly<Record<string, unknown>>,
  life: string,
  partition: number,
) {
  const { f: first, k: kind, t: publishedAtMs, expiresAt } = item;
  return {
    ...{ op: "batch" as const, life, partition, first: first as number },
    ...(kind === "seal" ? { seal: true as const } : {}),
    publishedAtMs: publishedAtMs as number,
    ...(expiresAt === undefined ? {} : { expiresAtMs: (expiresAt as number) * 1_000 }),
    events: kind === "seal" ? [] : eventsOf(item),
  };
}

/** The events of a stored batch, by the numbers that their publishers gave them. */
function eventsOf(item: Readonly<Record<string, unknown>>): EventRef[] {
  const batch = {
    ...{ first: item.f, count: item.n, batchId: item.b, publishedAt: item.t },
    ...{ rawBytes: item.r, payload: item.d },
    ...(item.k === undefined ? {} : { kind: item.k }),
  } as unknown as Batch;
  return unpackBatch(batch).map(refOf);
}

/** An event's own number: in its data, or in a header when it deletes its key. */
export const refOf = (event: {
  readonly key: string;
  readonly data: string;
  readonly headers?: Readonly<Record<string, string>>;
}): EventRef =>
  event.data === "null"
    ? { n: Number(event.headers?.n), key: event.key, dead: true }
    : { n: JSON.parse(event.data).n, key: event.key };
