import { LedgerEvent, ReleaseReceipt } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTurns } from "../support/depth.ts";
import { at, type Client, createClient, search } from "./client.ts";
import { type Answer, parseProblem, type Target } from "./wire.ts";

/**
 * Keys that a URL can confuse with another key, each next to the keys that it can be confused with.
 */
const KEYS = [
  "a",
  "a#1",
  "A",
  "%41",
  "%2541",
  "a?b",
  "a?",
  "50%",
  "50",
  "a/b",
  "a%2Fb",
  "/",
  "a/retry",
  "retry",
  "skip",
  ".",
  "..",
  "a;b=c",
  "a+b",
  "a b",
  " ",
  "a&b=c",
  "=",
  "é",
  "Ã©",
  "e\u0301",
  "ключ",
  "🔑",
  "\u0000",
  "\u0001",
  "\ufffd",
  "\\",
  "a\\b",
  '"',
  "%",
  "%%",
  "%zz",
  "#",
  "?",
  "k".repeat(512),
];

/** Tests that every key in a URL reaches exactly that key, or is refused. */
export function keysInUrlsContract(target: Target): void {
  testKeys(target, KEYS);
}

/**
 * Returns the tests for one of several entry points. Every key is read through each of them. A
 * condition, a retry and a skip come after the key is known, so entry points take turns with them.
 */
export function keysInUrlsInTurns(door: number, doors: readonly number[]) {
  const own = KEYS.filter((_, row) => inTurns(doors, row).includes(door));
  return { keysInUrlsContract: (target: Target) => testKeys(target, own) }.keysInUrlsContract;
}

function testKeys(target: Target, own: readonly string[]): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("a key in a URL", () => keys(api, own));
}

function keys(api: Client, own: readonly string[]): void {
  let stream: string;
  const parked = () => `${at(stream, "s")}/parked`;
  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.publish(
      stream,
      KEYS.map((key) => ({ key, data: { key } })),
    );
    while (!(await api.compact(stream)).done);
  });

  it.each(KEYS)("[http.target] %j reaches its own state as ?key=", async (key) => {
    const path = `${at(stream)}/compacted${search({ key })}`;
    const answer = await api.send({ path });
    expect(answer.status, answer.text).toBe(200);
    expect(LedgerEvent.parse(answer.body)).toMatchObject({ key, data: { key } });
    if (!own.includes(key)) return;
    const etag = answer.header("etag");
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`]) {
      const again = await api.send({ path, headers: { "if-none-match": known } });
      expect(again.status, known).toBe(304);
    }
  });

  it.each(KEYS)("[http.target] %j in a path reaches its own state or is refused", async (key) => {
    const answer = await api.send({ path: `${at(stream)}/compacted/${encodeURIComponent(key)}` });
    if (isRefused(answer)) return;
    expect(LedgerEvent.parse(answer.body).key).toBe(key);
  });

  const unescaped = KEYS.filter((key) => /^[!-~]{1,9}$/.test(key) && !/[%?#/]|^\.+$/.test(key));
  it.each(unescaped)("[http.target] %j in a path without escapes is that key", async (key) => {
    const answer = await api.send({ path: `${at(stream)}/compacted/${key}` });
    expect(answer.status, answer.text).toBe(200);
    expect(LedgerEvent.parse(answer.body).key).toBe(key);
  });

  it("[compaction.key] a key in a query excludes other parameters", async () => {
    for (const [name, value] of [
      ["prefix", "a"],
      ["cursor", "x".repeat(24)],
    ]) {
      const answer = await api.send({
        path: `${at(stream)}/compacted${search({ key: "a", [name ?? ""]: value })}`,
      });
      expect(parseProblem(answer).errors?.[0]?.pointer).toBe(`/query/${name}`);
    }
    for (const query of ["key=", "key=a&key=b", `key=${"k".repeat(513)}`, "key=%ff"]) {
      const answer = await api.send({ path: `${at(stream)}/compacted?${query}` });
      expect(parseProblem(answer).code, query).toBe("invalid-request");
    }
    const missing = await api.send({ path: `${at(stream)}/compacted?key=never` });
    expect(parseProblem(missing).code).toBe("key-not-found");
  });

  it.each(["retry", "skip"] as const)("[park.%s] every key works as ?key=", async (how) => {
    for (const sequence of KEYS.keys()) await api.park(stream, "s", { sequence: sequence + 1 });
    // A release of another key would leave one parked, or would find its own key released.
    for (const key of own) {
      const path = `${parked()}/${how}${search({ key })}`;
      const answer = await api.send({ method: "POST", path });
      expect(answer.status, answer.text).toBe(200);
      expect(ReleaseReceipt.parse(answer.body).key).toBe(key);
    }
    const others = KEYS.filter((key) => !own.includes(key));
    expect(stillParked(await entries()).toSorted()).toEqual(others.toSorted());
    await api.seek(stream, "s", "earliest");
  });

  it("[park.skip] a key in a path skips its own event or none", async () => {
    for (const [index, key] of KEYS.entries()) {
      if (!own.includes(key)) continue;
      await api.park(stream, "s", { sequence: index + 1 });
      // The neighbours are the keys that it could be confused with.
      const others = KEYS.slice(Math.max(0, index - 2), index + 3).filter((one) => one !== key);
      for (const other of others) {
        const path = `${parked()}/${encodeURIComponent(other)}/skip`;
        const answer = await api.send({ method: "POST", path });
        expect(answer.status, `${other} skips ${key}`).toBeGreaterThanOrEqual(400);
      }
      // If one of them had released the key, this skip would not find it.
      const path = `${parked()}/${encodeURIComponent(key)}/skip`;
      const refused = isRefused(await api.send({ method: "POST", path }));
      const left = await entries();
      expect(stillParked(left)).toEqual(refused ? [key] : []);
      // Nothing is committed here, so a parked key is free once none of its events waits.
      if (left.length > 0) await api.seek(stream, "s", "earliest");
    }
  });

  it("[park.retry] a retry requires a key", async () => {
    for (const how of ["retry", "skip"]) {
      const answer = await api.send({ method: "POST", path: `${parked()}/${how}` });
      expect(parseProblem(answer).errors?.[0]).toMatchObject({ pointer: "/query/key" });
    }
  });

  const entries = async () => (await api.listParked(stream, "s", { limit: 100 })).parked;
  const stillParked = (all: Awaited<ReturnType<typeof entries>>): string[] =>
    all.filter(({ status }) => status === "parked").map(({ key }) => key);
}

/**
 * Returns whether a path is refused because it cannot hold the key or is ambiguous. In that case
 * nothing is read or changed.
 */
const isRefused = (answer: Answer): boolean => {
  if (answer.status < 400) return false;
  expect(parseProblem(answer).code).toBeOneOf(["invalid-request", "route-not-found"]);
  return true;
};
