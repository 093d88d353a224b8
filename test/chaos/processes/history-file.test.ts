import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Line } from "../../simulation/checker/history.ts";
import { newFollower } from "../../simulation/world/readers.ts";
import { collectFrom, openHistoryFile } from "./history-file.ts";

let folder: string;
const path = () => join(folder, "follower-0.jsonl");
const save = (session: string): Line => ({
  type: "info",
  op: "save",
  session,
  atMs: 1,
  process: "-",
});
const follower = { ...newFollower("f", "earliest"), exists: true, kept: "c1" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eventledger-history-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("the next life of a client gets what the last one kept", () => {
  const first = openHistoryFile(path());
  expect(first.kept).toBeUndefined();
  first.add({ keeps: follower, line: save("one") });
  first.add({ keeps: { ...follower, kept: "c2" }, line: save("two") });
  first.add({ count: "read.ok" });
  expect(openHistoryFile(path()).kept).toEqual({ ...follower, kept: "c2" });
});

it("a line that a kill cut off counts for nothing, view and cursor together", () => {
  openHistoryFile(path()).add({ keeps: follower, line: save("one") });
  const whole = JSON.stringify({ keeps: { ...follower, kept: "c2" }, line: save("two") });
  appendFileSync(path(), whole.slice(0, -1));
  const next = openHistoryFile(path());
  expect(next.kept).toEqual(follower);
  next.add({ line: save("three") });
  const collected = collectFrom(folder);
  collected.take();
  expect(collected.lines).toEqual([save("one"), save("three")]);
  expect(collected.counts.get("client.half-a-line")).toBe(1);
});

it("new lines are collected while the file grows, only when they are complete", () => {
  const file = openHistoryFile(path());
  const collected = collectFrom(folder);
  file.add({ line: save("one") });
  collected.take();
  const text = `${JSON.stringify({ line: save("zwei, drei, für Fünf") })}\n`;
  const bytes = Buffer.from(text);
  const middle = bytes.indexOf(Buffer.from("ü")) + 1;
  appendFileSync(path(), bytes.subarray(0, middle));
  collected.take();
  expect(collected.lines).toEqual([save("one")]);
  appendFileSync(path(), bytes.subarray(middle));
  file.add({ failed: "internal: something" });
  collected.take();
  expect(collected.lines.length).toBe(2);
  expect(collected.failures).toEqual(["internal: something"]);
});
