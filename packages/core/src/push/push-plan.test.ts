import { describe, expect, it } from "vitest";
import {
  createCircuit,
  judge,
  nextPageSize,
  outageAfter,
  type PushAnswer,
  retryAt,
} from "./push-plan.ts";

const answered = (status: number, retryAfterMs?: number): PushAnswer => ({
  kind: "answered",
  status,
  retryAfterMs,
  text: "",
});
const silent: PushAnswer = { kind: "unreachable", error: "" };
const middle = { nowMs: 1_000, fraction: 0.5 };
const DAY_MS = 86_400_000;

describe("the plan of a push", () => {
  it("judges answers", () => {
    const verdicts = [200, 204, 299, 301, 400, 404, 410, 500].map((at) => judge(answered(at)));
    expect(verdicts).toEqual([
      ...["delivered", "delivered", "delivered", "failed", "failed", "failed", "gone", "failed"],
    ]);
    expect(judge(silent)).toBe("unreachable");
    expect(judge({ ...silent, isSent: false })).toBe("unreachable");
    expect(judge({ ...silent, isSent: true })).toBe("failed");
  });

  it("[push.order] retries after growing delays, with some chance in them", () => {
    const delays = Array.from({ length: 11 }, (_, n) => retryAt(n + 1, answered(500), middle));
    expect(delays.map((at) => at && at - 1_000)).toEqual([
      ...[5_000, 30_000, 120_000, 600_000, 3_600_000],
      ...[3 * 3_600_000, 6 * 3_600_000, 12 * 3_600_000, DAY_MS, DAY_MS, undefined],
    ]);
    expect(retryAt(1, answered(500), { nowMs: 0, fraction: 0 })).toBe(4_000);
    expect(retryAt(1, answered(500), { nowMs: 0, fraction: 1 })).toBe(6_000);
  });

  it("[push.order] waits as the endpoint asks, but no more than an hour", () => {
    expect(retryAt(1, answered(429, 60_000), middle)).toBe(61_000);
    expect(retryAt(1, answered(429, 1), middle)).toBe(6_000);
    expect(retryAt(1, answered(429, DAY_MS), middle)).toBe(3_601_000);
    expect(retryAt(11, answered(429, 1), middle)).toBeUndefined();
  });

  it("[push.outage] probes an endpoint ever more seldom, and ends after 5 days", () => {
    const first = outageAfter(undefined, middle);
    expect(first).toEqual({ since: 1_000, step: 0, probeAt: 6_000 });
    if (first === "over") throw new Error("over");
    expect(outageAfter(first, middle)).toEqual({ since: 1_000, step: 1, probeAt: 31_000 });
    const late = { nowMs: 1_000 + 5 * DAY_MS, fraction: 0.5 };
    expect(outageAfter({ ...first, step: 40 }, { ...late, nowMs: late.nowMs - 1 })).toMatchObject({
      step: 41,
      probeAt: late.nowMs - 1 + DAY_MS,
    });
    expect(outageAfter(first, late)).toBe("over");
  });

  it("[push.outage] an endpoint that fails for three keys in a row refuses everything", () => {
    const circuit = createCircuit(["a"]);
    circuit.failed("a", "failed");
    circuit.failed("b", "failed");
    expect(circuit.isOpen()).toBe(false);
    circuit.succeeded();
    for (const key of ["a", "b"]) circuit.failed(key, "failed");
    expect([circuit.isOpen(), circuit.streak()]).toEqual([false, ["a", "b"]]);
    circuit.pageEnded();
    expect(circuit.isOpen()).toBe(false);
    // By chance, some keys in a row may fail in a page that an endpoint accepts.
    for (let n = 0; n < 7; n++) circuit.failed(`other-${n}`, "failed");
    expect(circuit.isOpen()).toBe(false);
    circuit.failed("c", "failed");
    expect(circuit.isOpen()).toBe(true);
    const down = createCircuit(["a", "b"]);
    down.failed("c", "failed");
    expect(down.isOpen()).toBe(true);
    const atEnd = createCircuit();
    atEnd.succeeded();
    for (const key of ["a", "b", "c"]) atEnd.failed(key, "failed");
    atEnd.pageEnded();
    expect(atEnd.isOpen()).toBe(true);
    for (const verdict of ["unreachable", "gone"] as const) {
      const other = createCircuit();
      other.failed("a", verdict);
      expect(other.isOpen()).toBe(true);
    }
  });

  it("takes pages as large as the endpoint is quick", () => {
    expect([nextPageSize(8, 100), nextPageSize(256, 100)]).toEqual([16, 256]);
    expect([nextPageSize(64, 5_000), nextPageSize(64, 10_001)]).toEqual([64, 32]);
    expect(nextPageSize(8, 60_000)).toBe(8);
  });
});
