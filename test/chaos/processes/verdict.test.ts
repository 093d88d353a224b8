import { expect, it } from "vitest";
import type { Line } from "../../simulation/checker/history.ts";
import { verdictOf } from "./verdict.ts";

const publish = (call: number, events: number[]): Line[] => [
  {
    type: "invoke",
    op: "publish",
    atMs: call,
    process: "p",
    call,
    stream: "orders",
    events: events.map((n) => ({ n, key: "a" })),
  },
  { type: "ok", op: "publish", atMs: call, process: "p", call, sequences: events },
];

it("an event counts once, however often it was acknowledged, and violations count by meaning", () => {
  const verdict = verdictOf({
    history: [...publish(1, [1, 2]), ...publish(2, [1, 2]), ...publish(3, [3])],
    violations: [
      { name: "lost-write", detail: "", atMs: 0 },
      { name: "duplicate", detail: "", atMs: 0 },
      { name: "realtime-order", detail: "", atMs: 0 },
      { name: "internal-error", detail: "", atMs: 0 },
    ],
    counts: {
      "nemesis.kill.api-0": 2,
      "nemesis.kill.database": 3,
      "nemesis.pause.api-1": 4,
      "nemesis.pause.database": 5,
      "stream.recreated": 8,
      "seek.ok": 9,
      "proxy.requests": 100,
      "proxy.delay": 5,
      "proxy.twice": 6,
      "bootstrap.caught-up": 7,
    },
    events: 3,
    recovery: { publishersMs: 200, compactedMs: 400, readersMs: 813 },
    changes: [],
    disturbances: [],
  });
  expect(verdict).toEqual({
    acknowledgedEvents: 3,
    storedEvents: 3,
    lost: 1,
    duplicated: 1,
    reordered: 1,
    otherViolations: 1,
    requestFaults: 11,
    processKills: 2,
    processPauses: 4,
    databaseKills: 3,
    databasePauses: 5,
    faults: 25,
    streamsMadeAnew: 8,
    seeks: 9,
    bootstrapsUnderChurn: 7,
    compactedMs: 400,
    catchUpMs: 813,
  });
});
