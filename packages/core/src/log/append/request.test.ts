import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IncomingEvent, RawJson } from "../../model/event.ts";
import { partitionOf } from "../../model/partition.ts";
import { madeEventIds, packEvents } from "../codec.ts";
import { planRequest, readReceipt } from "./request.ts";

const event = (key: string, data = "1", more: object = {}): IncomingEvent => ({
  attributes: { key, ...more },
  data: data as RawJson,
});

const hashOf = (events: readonly IncomingEvent[]) =>
  planRequest(events, { partitions: 4 }, "x").idempotency?.requestHash;

describe("planRequest", () => {
  it("keeps the order of the events, each with the partition of its key", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1 });
    return fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 64 }), (list, partitions) => {
        const events = list.map((key, n) => event(key, `${n}`));
        const request = planRequest(events, { partitions });
        expect(request.drafts.map(({ key, data }) => [key, data])).toEqual(
          events.map(({ attributes: { key }, data }) => [key, data]),
        );
        for (const { partition, key } of request.drafts) {
          expect(partition).toBe(partitionOf(key, partitions));
        }
        expect(request.partitions).toEqual(
          [...new Set(request.drafts.map(({ partition }) => partition))].sort((a, b) => a - b),
        );
      }),
    );
  });

  it("the counted size is at least the inflated size of a batch", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    const attributes = fc.record(
      { key: text, type: text, id: text, time: text, headers: fc.dictionary(text, text) },
      { requiredKeys: ["key"] },
    );
    const incoming = fc.record({ attributes, data: fc.json() });
    return fc.assert(
      fc.property(fc.array(incoming, { minLength: 1, maxLength: 20 }), (all) => {
        const events = all.map((each) => ({ ...each, data: each.data as RawJson }));
        const { bytes, drafts } = planRequest(events, { partitions: 1 });
        expect(bytes).toBeGreaterThanOrEqual(packEvents(drafts).rawBytes);
      }),
    );
  });

  it("requests are distinguished by their whole content, and by nothing else", () => {
    const usual = [event("a", "1"), event("b", "2", { headers: { x: "1", y: "2" } })];
    const same = [event("a", "1"), event("b", "2", { headers: { y: "2", x: "1" } })];
    expect(hashOf(same)).toBe(hashOf(usual));
    const others = [
      [event("a", "1"), event("b", "2")],
      [event("a", "1.0"), event("b", "2", { headers: { x: "1", y: "2" } })],
      [event("b", "2", { headers: { x: "1", y: "2" } }), event("a", "1")],
      [event("a", "1", { type: "t" }), event("b", "2", { headers: { x: "1", y: "2" } })],
      [event("a", "1", { id: "t" }), event("b", "2", { headers: { x: "1", y: "2" } })],
      [event("a", '12"}')],
    ];
    expect(new Set([usual, ...others].map(hashOf)).size).toBe(others.length + 1);
  });
});

describe("readReceipt", () => {
  it("tells each event its sequence and id in the order of the request", () => {
    const events = ["a", "b", "c", "d", "a", "b"].map((key, n) =>
      event(key, "1", n === 3 ? { id: "own" } : {}),
    );
    const batchId = new Uint8Array(16).fill(1);
    const request = planRequest(events, { partitions: 3 });
    const counts = request.partitions.map((partition) => ({
      partition,
      count: request.drafts.filter((draft) => draft.partition === partition).length,
    }));
    const parts = counts.flatMap(({ partition, count: length }) => [
      { partition, first: 100 * partition + 7, count: 1, batchFirst: 100 * partition + 5, batchId },
      ...(length === 1
        ? []
        : [
            {
              partition,
              first: 100 * partition + 8,
              count: length - 1,
              batchFirst: 100 * partition + 8,
              batchId,
            },
          ]),
    ]);
    const published = readReceipt(request, { partitions: 3 }, { parts, publishedAt: 5 });
    const next = new Map<number, number>();
    for (const [index, { attributes }] of events.entries()) {
      const partition = partitionOf(attributes.key, 3);
      const place = next.get(partition) ?? 0;
      next.set(partition, place + 1);
      expect(published.events[index]?.sequence).toBe(100 * partition + 7 + place);
      const made = madeEventIds(batchId)(place === 0 ? 2 : place - 1);
      expect(published.events[index]?.id).toBe(index === 3 ? "own" : made);
    }
    for (const { partition, count } of counts) {
      expect(published.positions[partition]?.next).toBe(100 * partition + 7 + count);
    }
  });
});
