import { zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../kernel/invariant.ts";
import type { IncomingEvent, RawJson } from "../model/event.ts";
import type { Batch } from "../table/batch.ts";
import { entryOf, madeEventIds, type Packed, packEvents, unpackBatch } from "./codec.ts";

const ID = Uint8Array.from({ length: 16 }, (_, index) => index * 16 + 7);

const stored = ({ payload, rawBytes }: Packed, count: number): Batch => ({
  first: 41,
  count,
  batchId: ID,
  publishedAt: 1_800_000_000_000,
  rawBytes,
  payload,
});

const event = (data: string, more: Partial<IncomingEvent["attributes"]> = {}): IncomingEvent => ({
  attributes: { key: "order-1", ...more },
  data: data as RawJson,
});

const roundTrip = (events: readonly IncomingEvent[]) =>
  unpackBatch(stored(packEvents(events.map(entryOf)), events.length));

describe("codec", () => {
  it("every attribute and every byte of data survives packing", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
    const data = fc.oneof(
      fc.json(),
      fc.constantFrom("1e400", "-0", "1.10", "9007199254740993", '{"a":1,"a":2}', '"\\u0000"'),
      fc.string({ unit: "grapheme" }).map((each) => JSON.stringify(each)),
    );
    const incoming = fc.record({
      attributes: fc.record(
        { key: text, type: text, id: text, time: text, headers: fc.dictionary(text, text) },
        { requiredKeys: ["key"] },
      ),
      data,
    });
    return fc.assert(
      fc.property(fc.array(incoming, { minLength: 1, maxLength: 20 }), (drafts) => {
        const events = drafts.map((draft) => ({ ...draft, data: draft.data as RawJson }));
        const back = roundTrip(events);
        expect(back).toEqual(
          events.map(({ attributes, data: raw }, index) => ({
            sequence: 41 + index,
            publishedAt: 1_800_000_000_000,
            id: attributes.id ?? madeEventIds(ID)(index),
            ...attributes,
            data: raw,
          })),
        );
      }),
    );
  });

  it("a header called __proto__ is kept as data", () => {
    const headers = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    expect(roundTrip([event("1", { headers })])[0]?.headers).toEqual(headers);
  });

  it("100 similar events are packed into less than a fifth", () => {
    const events = Array.from({ length: 100 }, (_, n) =>
      event(JSON.stringify({ order: n, customer: `c-${n * 7}`, state: "placed", total: n * 1.1 })),
    );
    const { payload, rawBytes } = packEvents(events.map(entryOf));
    expect(payload.length).toBeLessThan(rawBytes / 5);
  });

  it("events of up to 512 bytes stay plain", () => {
    const ofBytes = (bytes: number) => {
      const packed = packEvents([entryOf(event(JSON.stringify("a".repeat(bytes))))]);
      return { ...packed, isPlain: packed.payload.length === packed.rawBytes + 1 };
    };
    const frame = ofBytes(100).rawBytes - 100;
    expect(ofBytes(512 - frame)).toMatchObject({ rawBytes: 512, isPlain: true });
    expect(ofBytes(513 - frame)).toMatchObject({ rawBytes: 513, isPlain: false });
  });

  it("events without an id get the same distinct UUIDs each time", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => madeEventIds(ID)(index));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
    const idOf = madeEventIds(Buffer.from("00112233445566778899aabbfffffffe", "hex"));
    expect(idOf(0)).toBe("00112233-4455-8677-8899-aabbfffffffe");
    expect(idOf(3)).toBe("00112233-4455-8677-8899-aabb00000001");
  });
});

describe("a damaged batch", () => {
  const events = [event('{"total":42}'), event('{"total":42}'), event('{"total":42}')];
  const packed = packEvents(events.map(entryOf));
  const raw = (text: string): Packed => ({
    payload: Buffer.concat([Buffer.of(0), Buffer.from(text)]),
    rawBytes: Buffer.byteLength(text),
  });

  it.each([
    ["says it is smaller than it is", stored({ ...packed, rawBytes: packed.rawBytes - 1 }, 3)],
    ["says it is larger than it is", stored({ ...packed, rawBytes: packed.rawBytes + 1 }, 3)],
    ["says it has no size", stored({ ...packed, rawBytes: 0 }, 3)],
    ["counts more events than it has", stored(packed, 4)],
    ["counts fewer events than it has", stored(packed, 2)],
    ["has lost its end", stored({ ...packed, payload: packed.payload.subarray(0, -3) }, 3)],
    ["has lost its beginning", stored({ ...packed, payload: packed.payload.subarray(1) }, 3)],
    ["is empty", stored({ ...packed, payload: new Uint8Array() }, 3)],
    ["is of an unknown codec", stored({ ...packed, payload: Buffer.of(9, 9, 9) }, 3)],
    ["has no line of attributes", stored(raw('[["k",1]]1'), 1)],
    ["has attributes that are no JSON", stored(raw('[["k",1\n1'), 1)],
    ["has less data than its events say", stored(raw('[["k",2]]\n1'), 1)],
    ["has more data than its events say", stored(raw('[["k",1]]\n12'), 1)],
  ])("that %s is refused", (_, batch) => {
    expect(() => unpackBatch(batch)).toThrow(InvariantError);
  });

  it("a batch that inflates beyond its stated size is refused before it fills the memory", () => {
    const bomb = zstdCompressSync(Buffer.alloc(512 * 1_024 * 1_024, 32));
    const payload = Buffer.concat([Buffer.of(1), bomb]);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpackBatch(stored({ payload, rawBytes: 1_000 }, 1))).toThrow(InvariantError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_024 * 1_024);
  });

  it("a batch that states more than any may inflate to is refused unread", () => {
    const payload = Buffer.concat([
      Buffer.of(1),
      zstdCompressSync(Buffer.alloc(9 * 1_024 * 1_024)),
    ]);
    const lie = stored({ payload, rawBytes: 9 * 1_024 * 1_024 }, 1);
    expect(() => unpackBatch(lie)).toThrow(InvariantError);
  });

  it("a batch with any byte changed returns its own number of events, or none", () => {
    for (let at = 0; at < packed.payload.length; at++) {
      const payload = Buffer.from(packed.payload);
      payload.writeUInt8(payload.readUInt8(at) ^ (1 + (at % 255)), at);
      try {
        expect(unpackBatch(stored({ ...packed, payload }, 3))).toHaveLength(3);
      } catch (error) {
        expect(error).toBeInstanceOf(InvariantError);
      }
    }
  });
});
