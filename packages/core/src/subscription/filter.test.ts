import { expect, it } from "vitest";
import type { RawJson } from "../model/event.ts";
import { matcherOf } from "./filter.ts";

const event = { sequence: 1, publishedAt: 0, id: "1", key: "a1", data: "1" as RawJson };
const tombstone = { ...event, data: "null" as RawJson };

it("[sub.filter-state] types and headers select events, and deletions pass them", () => {
  const ofType = matcherOf({ types: ["made"] });
  expect(ofType?.({ ...event, type: "made" })).toBe(true);
  expect(ofType?.({ ...event, type: "paid" })).toBe(false);
  expect(ofType?.(event)).toBe(false);
  expect(ofType?.(tombstone)).toBe(true);
  const ofHeader = matcherOf({ headers: { region: "eu" } });
  expect(ofHeader?.({ ...event, headers: { region: "eu" } })).toBe(true);
  expect(ofHeader?.(event)).toBe(false);
  expect(ofHeader?.(tombstone)).toBe(true);
  const ofPrefix = matcherOf({ keyPrefix: "b" });
  expect([event, tombstone].map((each) => ofPrefix?.(each))).toEqual([false, false]);
});
