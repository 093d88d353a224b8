import { type Caller, LedgerError, type RawJson, rootCaller } from "@eventledger/core";
import { describe, expect, it } from "vitest";
import {
  assertCoversEvents,
  assertOfLife,
  narrowed,
  withoutCounts,
  withoutSettings,
} from "./within.ts";

const bound: Caller = { ...rootCaller, keyPrefix: "eu." };
const eventOf = (key: string) => ({ attributes: { key }, data: "1" as RawJson });

function pointersOf(run: () => unknown): readonly string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return error.errors.map(({ pointer }) => pointer);
  }
}

describe("a key that is bound to a prefix", () => {
  it("[key.key-prefix] a refused publish names each event with a key outside, or its only key", () => {
    const publish = (...keys: string[]) =>
      pointersOf(() => assertCoversEvents(bound, keys.map(eventOf)));
    expect(publish("eu.1", "eu.2")).toEqual([]);
    expect(publish("us.1")).toEqual(["/key"]);
    expect(publish("us.1", "eu.1", "us.2")).toEqual(["/events/0/key", "/events/2/key"]);
  });

  it("[key.key-prefix] reads by the narrower of its prefix and the asked one", () => {
    const asked = [undefined, "", "e", "eu.", "eu.1"];
    expect(asked.map((prefix) => narrowed(bound, prefix, "/query/prefix"))).toEqual([
      "eu.",
      "eu.",
      "eu.",
      "eu.",
      "eu.1",
    ]);
    expect(pointersOf(() => narrowed(bound, "us.", "/query/prefix"))).toEqual(["/query/prefix"]);
    expect(narrowed(rootCaller, undefined, "/query/prefix")).toBeUndefined();
  });

  it("[key.key-prefix] does not learn the settings of a subscription that exists", () => {
    const errors = [{ pointer: "/filter/keyPrefix", detail: "is us." }];
    const exists = new LedgerError("subscription-exists", { detail: "It exists.", errors });
    expect(withoutSettings(bound, exists)).toMatchObject({ detail: "It exists.", errors: [] });
    expect(withoutSettings(rootCaller, exists)).toBe(exists);
    const invalid = new LedgerError("invalid-request", { detail: "It is wrong.", errors });
    expect(withoutSettings(bound, invalid)).toBe(invalid);
    const other = new Error("something else");
    expect(withoutSettings(bound, other)).toBe(other);
  });
});

describe("a portal token", () => {
  const lives = new Map([["orders", "uid-1"]]);
  const token: Caller = { ...rootCaller, scopes: [], portal: { id: "t", scopes: ["read"], lives } };

  it("[portal.life] gets no answer of another life, also when the stream was created again meanwhile", () => {
    for (const life of ["uid-1", "uid-1.restored"]) {
      expect(() => assertOfLife(token, "orders", life)).not.toThrow();
    }
    for (const [stream, life] of [
      ["orders", "uid-2"],
      ["orders", ""],
      ["other", "uid-1"],
    ] as const) {
      expect(() => assertOfLife(token, stream, life)).toThrow(/has been deleted/);
      expect(() => assertOfLife(bound, stream, life)).not.toThrow();
    }
  });

  it("[portal.covers] gets no count of what is outside its prefix", () => {
    const page = { events: [], looked: 7, lag: { events: 7, seconds: 1 }, cursor: "c" };
    expect(withoutCounts(token, page)).toEqual({ events: [], looked: 0, cursor: "c" });
    expect(withoutCounts(bound, page)).toEqual(page);
  });
});
