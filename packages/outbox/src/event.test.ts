import { describe, expect, it } from "vitest";
import { InvalidEvent as SdkInvalidEvent } from "../../sdk/src/errors.ts";
import { type OutboxEvent, printRow, toColumns } from "./event.ts";

const now = new Date("2026-01-02T03:04:05Z");
const columns = (more: object) =>
  toColumns({ stream: "orders", key: "a", data: 1, ...more } as OutboxEvent, now);

describe("an event of an outbox", () => {
  it("is printed with its data byte for byte", () => {
    const { data: _, ...given } = { stream: "orders", key: "a", data: 0 };
    const dataText = '{"id":9007199254740993, "price":1.10}';
    const row = { ...toColumns({ ...given, dataText }, now), position: "1", id: "i" };
    expect(printRow(row)).toBe(
      `{"key":"a","id":"i","time":"2026-01-02T03:04:05.000Z","data":${dataText}}`,
    );
  });

  it.each([
    ["a key that is empty", { key: "" }, "/key"],
    ["a key that is too long", { key: "é".repeat(257) }, "/key"],
    ["a key that PostgreSQL cannot store", { key: "a\u0000" }, "/key"],
    ["a stream that is no name", { stream: "No Name" }, "/stream"],
    ["a type that is too long", { type: "t".repeat(257) }, "/type"],
    ["a time that is no moment", { time: "yesterday" }, "/time"],
    ["a header that is no header", { headers: { "No Header": "1" } }, "/headers/No Header"],
    ["data that is undefined", { data: undefined }, "/data"],
    ["data with NaN", { data: { n: Number.NaN } }, "/data/n"],
    ["data with a bigint", { data: { n: 1n } }, "/data/n"],
    ["data that becomes null", { data: { toJSON: () => null } }, "/data"],
    ["data with a lone surrogate", { data: "\ud800" }, "/data"],
    ["a text that is not JSON", { dataText: "{" }, "/data"],
    ["an event that is too large", { data: "x".repeat(262_144) }, "is too large"],
  ])("is refused with %s", (_, more, message) => {
    expect(() => columns(more)).toThrow(message);
    expect(() => columns(more)).toThrowError(
      expect.toSatisfy((error: unknown) => SdkInvalidEvent.is(error)),
    );
  });

  it("may delete its key, and may have surrogates that are pairs", () => {
    expect(columns({ data: null }).data).toBe("null");
    expect(columns({ data: "\u{1f600}" }).data).toBe('"\u{1f600}"');
    expect(columns({ dataText: '"\\ud83d\\ude00"', data: undefined }).data).toBe(
      '"\\ud83d\\ude00"',
    );
  });
});
