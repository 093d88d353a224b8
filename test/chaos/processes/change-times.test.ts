import { expect, it } from "vitest";
import type { Line } from "../../simulation/checker/history.ts";
import { changeTimesOf } from "./change-times.ts";

const publish = (call: number, fromMs: number, toMs: number): Line[] => {
  const of = { process: "p", call, op: "publish" } as const;
  return [
    { ...of, type: "invoke", atMs: fromMs, stream: "orders", events: [{ n: call, key: "a" }] },
    { ...of, type: "ok", atMs: toMs, sequences: [call] },
  ];
};

it("a publish counts for a change that it overlaps, and as disturbed if it met a pause", () => {
  const unanswered: Line = {
    ...{ process: "p", call: 9, op: "publish", type: "invoke" },
    ...{ atMs: 100, stream: "orders", events: [] },
  };
  const history = [
    ...publish(1, 0, 50),
    ...publish(2, 90, 130),
    ...publish(3, 150, 400),
    ...publish(4, 300, 310),
    unanswered,
  ];
  const changes = [{ fromMs: 100, toMs: 200 }];
  const disturbances = [{ fromMs: 350, toMs: 360 }];
  expect(changeTimesOf(history, { changes, disturbances })).toEqual({
    changeMaxMs: 100,
    during: { publishes: 2, p50Ms: 250, p99Ms: 250, maxMs: 250 },
    duringUndisturbed: { publishes: 1, p50Ms: 40, p99Ms: 40, maxMs: 40 },
    otherwise: { publishes: 2, p50Ms: 50, p99Ms: 50, maxMs: 50 },
    otherwiseUndisturbed: { publishes: 2, p50Ms: 50, p99Ms: 50, maxMs: 50 },
  });
});
