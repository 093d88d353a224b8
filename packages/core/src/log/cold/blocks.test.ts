import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../kernel/invariant.ts";
import type { RawJson, StoredEvent } from "../../model/event.ts";
import { printEvent } from "../../model/event-text.ts";
import { formatBlocks, packLines, parseBlocks, unpackBlocks } from "./blocks.ts";
import { blocksFor } from "./cold-read.ts";

const event = (sequence: number): StoredEvent => ({
  sequence,
  publishedAt: sequence,
  id: `i${sequence}`,
  key: "é",
  data: `"\\n${sequence}"` as RawJson,
});

describe("[archive.segments] blocks", () => {
  it("several blocks one after the other are one text of gzip", () => {
    const both = Buffer.concat([
      packLines([printEvent(event(1)), printEvent(event(2))]),
      packLines([printEvent(event(3))]),
    ]);
    expect(gunzipSync(both).toString().split("\n")).toHaveLength(4);
    expect(unpackBlocks(both).map((read) => read.event)).toEqual([1, 2, 3].map(event));
    expect(unpackBlocks(both)[0]?.bytes).toBe(Buffer.byteLength(printEvent(event(1))));
  });

  it("their list is read as it was written", () => {
    const blocks = [
      { first: 1, offset: 0, at: 1_000 },
      { first: 20, offset: 65, at: 1_000 },
      { first: 21, offset: 1_000_000, at: 5_000 },
    ];
    expect(parseBlocks(formatBlocks(blocks))).toEqual(blocks);
    expect(parseBlocks(formatBlocks([]))).toEqual([]);
  });

  it.each([
    ["a flipped byte", (bytes: Buffer) => bytes.fill(bytes[12] === 1 ? 2 : 1, 12, 13)],
    ["a missing end", (bytes: Buffer) => bytes.subarray(0, -1)],
    ["no gzip", () => Buffer.from("{}\n")],
    ["a line without an end", () => Buffer.from(packLines(["x"])).subarray(0)],
  ])("%s is damage, and its message quotes nothing", (_, damage) => {
    const bytes = damage(Buffer.from(packLines([printEvent(event(1))])));
    expect(() => unpackBlocks(bytes)).toThrow(InvariantError);
    expect(() => unpackBlocks(bytes)).toThrow(/^[a-zA-Z_ ]+(: [A-Za-z_ ]+)?$/);
  });
});

describe("the blocks of a page", () => {
  const index = [1, 11, 21, 31].map((first) => ({ first, offset: first, at: first }));

  it.each([
    { next: 1, events: 1, from: 0, to: 1 },
    { next: 10, events: 1, from: 0, to: 1 },
    { next: 10, events: 2, from: 0, to: 2 },
    { next: 11, events: 10, from: 1, to: 2 },
    { next: 15, events: 1_000, from: 1, to: 4 },
    { next: 99, events: 1_000, from: 3, to: 4 },
  ])("a page of $events events from $next on takes the blocks from $from to $to", (page) => {
    const { next, events, from, to } = page;
    expect(blocksFor({ index }, next, { events, bytes: 1e9 })).toEqual({ from, to });
  });

  it("a page without room for more takes one block", () => {
    expect(blocksFor({ index }, 1, { events: 1_000, bytes: 1 })).toEqual({ from: 0, to: 1 });
    expect(blocksFor({ index }, 1, { events: 1_000, bytes: 65_537 })).toEqual({ from: 0, to: 2 });
  });
});
