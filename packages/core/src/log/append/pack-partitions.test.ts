import { randomBytes } from "node:crypto";
import { LIMITS } from "@eventledger/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IncomingEvent, RawJson } from "../../model/event.ts";
import { entryOf, sizeOf, unpackBatch } from "../codec.ts";
import type { AppendRequest, Draft } from "./append-plan.ts";
import { APPEND_ITEMS_MAX, CHUNK_BYTES_MAX, packPartitions } from "./pack-partitions.ts";

/** Printable bytes that compress as badly as JSON allows. */
const NOISE = Buffer.from(randomBytes(6 * 2 ** 20).map((byte) => 35 + (byte % 57))).toString(
  "latin1",
);
const STARTS = 22;

/**
 * Returns a JSON string of about this many bytes: one repeated character, or different noise for
 * each `n`.
 */
function dataOf(n: number, bytes: number, compressible: boolean): RawJson {
  const start = (n % STARTS) * LIMITS.eventBytesMax;
  return `"${compressible ? "x".repeat(bytes) : NOISE.slice(start, start + bytes)}"` as RawJson;
}

const eventOf = (n: number, bytes: number, compressible = false): IncomingEvent => ({
  attributes: { key: `key-${n}` },
  data: dataOf(n, bytes, compressible),
});

const draftOf = (event: IncomingEvent, partition: number): Draft => {
  const entry = entryOf(event);
  return { ...entry, partition, key: event.attributes.key, id: undefined, bytes: sizeOf(entry) };
};

/** Returns a request with these events in partitions 0, 1 and so on. */
const requestOf = (parts: readonly (readonly IncomingEvent[])[], key?: string): AppendRequest => ({
  drafts: parts.flatMap((events, partition) => events.map((event) => draftOf(event, partition))),
  partitions: [...parts.keys()].filter((partition) => parts[partition]?.length !== 0),
  bytes: 0,
  ...(key === undefined ? {} : { idempotency: { key, requestHash: "hash" } }),
});

/** Sizes from empty to the largest event, up to the number of them that fits into a request. */
const drafts = fc
  .array(
    fc.record({
      partition: fc.nat(LIMITS.partitionsMax - 1),
      bytes: fc.oneof(
        { weight: 6, arbitrary: fc.nat(200) },
        { weight: 2, arbitrary: fc.nat(20_000) },
        { weight: 2, arbitrary: fc.integer({ min: 100_000, max: LIMITS.eventBytesMax - 100 }) },
      ),
      compressible: fc.boolean(),
    }),
    { minLength: 1, maxLength: 200, size: "max" },
  )
  .chain((all) => fc.constantFrom(1, 2, 16, 64).map((partitions) => ({ all, partitions })));

describe("packPartitions", () => {
  it("[publish.atomic] makes few items of any events, each within the cap, in their order", () => {
    return fc.assert(
      fc.property(drafts, ({ all, partitions }) => {
        const parts: IncomingEvent[][] = Array.from({ length: partitions }, () => []);
        let left = LIMITS.requestBytesMax - 300_000;
        for (const [n, { partition, bytes, compressible }] of all.entries()) {
          if (bytes > left) continue;
          left -= bytes;
          parts[partition % partitions]?.push(eventOf(n, bytes, compressible));
        }
        const packed = packPartitions([requestOf(parts, "key")]);
        const items = packed.flatMap(({ chunks }) => chunks);
        expect(items.length).toBeLessThan(APPEND_ITEMS_MAX);
        for (const { partition, chunks } of packed) {
          const keys: string[] = [];
          for (const { payload, rawBytes, count } of chunks) {
            expect(payload.length).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
            const batch = { first: 1, batchId: new Uint8Array(16), publishedAt: 1 };
            for (const { key } of unpackBatch({ ...batch, payload, rawBytes, count }))
              keys.push(key);
          }
          expect(keys).toEqual(parts[partition]?.map(({ attributes: { key } }) => key));
          const sizes = chunks.map(({ payload }) => payload.length);
          const whole = sizes.reduce((sum, size) => sum + size, 0);
          expect(chunks.length).toBeLessThanOrEqual(1 + (2 * whole) / CHUNK_BYTES_MAX);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("[publish.atomic] large events next to many small ones are packed into few items", () => {
    const small = Array.from({ length: 140 }, (_, n) => eventOf(n, 9));
    const parts = Array.from({ length: 64 }, (_, at) =>
      at < 6
        ? [eventOf(2 * at, 262_000), eventOf(2 * at + 1, 262_000), ...small]
        : [eventOf(at, 9)],
    );
    const packed = packPartitions([requestOf(parts, "key")]);
    expect(packed.flatMap(({ chunks }) => chunks)).toHaveLength(64 + 6);
  });

  it("events that fit into one item when compressed stay in one item", () => {
    const events = Array.from({ length: 16 }, (_, n) => eventOf(n, 250_000, true));
    expect(packPartitions([requestOf([events])])[0]?.chunks).toHaveLength(1);
  });

  it("[publish.limits] a group that one transaction cannot hold is refused", () => {
    const keyed = Array.from({ length: 100 }, (_, n) => requestOf([[eventOf(n, 9)]], `${n}`));
    const refusal = { code: "request-too-large", facts: { items: 101, itemsMax: 100 } };
    expect(() => packPartitions(keyed)).toThrow(expect.objectContaining(refusal));
    expect(packPartitions(keyed.slice(1))[0]?.chunks).toHaveLength(1);
    const large = Array.from({ length: 22 }, (_, n) => eventOf(n, 262_000));
    expect(() => packPartitions([requestOf([large])])).toThrow(
      expect.objectContaining({ code: "request-too-large" }),
    );
  });
});
