import { describe, expect, it } from "vitest";
import { DEPTH } from "../../support/depth.ts";
import { makeAccess } from "./access-corruptions.ts";
import { checkHistory } from "./check.ts";
import { CORRUPTIONS } from "./corruptions.ts";
import { makeGrowth } from "./growth-corruptions.ts";
import { type Line, parseHistory, printHistory, VIOLATIONS } from "./history.ts";
import { makeHistory, RETENTION_MS } from "./made-up-history.ts";
import { makeLists } from "./made-up-lists.ts";
import { makeRestore } from "./made-up-restore.ts";
import { makeTeam } from "./made-up-team.ts";

const OPTIONS = { retentionMs: RETENTION_MS, skewMs: 1_000 };
const SEEDS = Array.from({ length: 25 * DEPTH }, (_, seed) => seed);

describe("the history checker", () => {
  it("the checker finds nothing in correct histories", () => {
    for (const seed of SEEDS) {
      expect(checkHistory(makeHistory(seed), OPTIONS), `seed ${seed}`).toEqual([]);
    }
  });

  it("the checker finds nothing in a history of a restore", () => {
    expect(checkHistory(makeRestore(), OPTIONS)).toEqual([]);
  });

  it("the checker finds nothing in a history of workers that park, leave and lose their share", () => {
    expect(checkHistory(makeTeam(), OPTIONS)).toEqual([]);
  });

  it("the checker finds nothing in a history of lists of states and of changes", () => {
    expect(checkHistory(makeLists(), OPTIONS)).toEqual([]);
  });

  it("the checker finds nothing in a history of a stream that grows by itself", () => {
    expect(checkHistory(makeGrowth(), OPTIONS)).toEqual([]);
  });

  it("the checker finds nothing in a history of a key that stays within its bounds", () => {
    expect(checkHistory(makeAccess(), OPTIONS)).toEqual([]);
  });

  it.each(CORRUPTIONS)("the checker finds $name when $how", ({ name, spoil }) => {
    let spoiled = 0;
    for (const seed of SEEDS.slice(0, 20)) {
      const lines = spoil(makeHistory(seed));
      if (lines === undefined) continue;
      spoiled++;
      const names = checkHistory(lines, OPTIONS).map((violation) => violation.name);
      expect(names, `seed ${seed}`).toContain(name);
    }
    expect(spoiled).toBeGreaterThan(0);
  });

  it("there is a corruption for every name that the checker may use", () => {
    const shown = new Set(CORRUPTIONS.map(({ name }) => name));
    expect(Object.keys(VIOLATIONS).filter((name) => !shown.has(name as never))).toEqual([]);
  });

  /**
   * Returns a history in which a keyed request is acknowledged in the first life and its copy
   * arrives in the next life at `twinAtMs`.
   */
  const twinHistory = (twinAtMs: number): Line[] => {
    const events = [{ n: 1, key: "k" }];
    const publish = { op: "publish", stream: "orders", events, keyed: true } as const;
    const stored = (life: string, atMs: number): Line => ({
      type: "info",
      op: "batch",
      process: "-",
      partition: 0,
      first: 1,
      events,
      life,
      atMs,
      publishedAtMs: atMs,
      expiresAtMs: RETENTION_MS * 2,
    });
    const read = { op: "read", process: "r" } as const;
    const lines: Line[] = [
      { type: "invoke", process: "p", call: 1, atMs: 1, ...publish },
      { type: "invoke", process: "p", call: 2, atMs: 1, ...publish },
      stored("life-1", 2),
      { type: "ok", process: "p", op: "publish", call: 1, atMs: 3, sequences: [1] },
      { type: "info", process: "-", op: "begin", session: "s", atMs: 10 },
      { type: "invoke", call: 3, stream: "orders", session: "s", atMs: 11, ...read },
      {
        type: "ok",
        call: 3,
        atMs: 12,
        ...read,
        life: "life-2",
        phase: "log",
        events: [],
        to: [1],
        caughtUp: true,
        consistent: true,
        subscription: "sub",
        generation: 1,
      },
      stored("life-2", twinAtMs),
      { type: "ok", process: "p", op: "publish", call: 2, atMs: 40, sequences: [1] },
    ];
    return lines.toSorted((a, b) => a.atMs - b.atMs);
  };

  it("a reader is not blamed for an event that later arrived in its life under an acknowledged number", () => {
    expect(checkHistory(twinHistory(30), OPTIONS)).toEqual([]);
    const names = checkHistory(twinHistory(2.5), OPTIONS).map(({ name }) => name);
    expect(names).toEqual(["stale-read"]);
  });

  it("the checker accepts a chain of any length", () => {
    const events = Array.from({ length: 150_000 }, (_, n) => ({ n, key: `key-${n % 100}` }));
    const head = { type: "info", atMs: 1, process: "-", life: "life-1", partition: 0 } as const;
    const acknowledged: Line[] = [
      {
        type: "invoke",
        op: "publish",
        atMs: 0,
        process: "p",
        call: 1,
        stream: "orders",
        events,
      },
      { ...head, op: "batch", first: 1, publishedAtMs: 1, expiresAtMs: RETENTION_MS * 2, events },
    ];
    expect(checkHistory(acknowledged, OPTIONS)).toEqual([]);
  });

  it("the checker reads a history from its printed form", () => {
    const lines = makeHistory("printed");
    expect(parseHistory(printHistory(lines))).toEqual(lines);
  });
});
