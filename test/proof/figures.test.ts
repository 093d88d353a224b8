import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { figuresOf, fill } from "./figures.ts";
import { proofPages } from "./proof.ts";

describe("what the proof pages say was run", () => {
  it("is what the records say (npm run proof:page)", () => {
    for (const [page, text] of proofPages()) expect(readFileSync(page, "utf8")).toBe(text);
  });

  it("hides nothing that was found", () => {
    const where = {
      ended: "2026-11-24T04:51:15.438Z",
      commit: "0123456789abcdef",
      node: "v24.21.0",
    };
    const failures = [{ seed: "brief-7" }];
    const verdicts = [
      { rule: "kept", killed: true },
      { rule: "lived", killed: false },
    ];
    const page = figuresOf(
      new Map<string, object>([
        ["sim", { ...where, total: { seeds: 2_000, failures }, mended: [{ seed: "9" }] }],
        ["mutants", { killed: 1, of: 2, verdicts, versions: { node: "v24.21.0" } }],
        ["blackbox-disk", { ...where, verdict: { acknowledgedEvents: 10, lost: 3, reordered: 0 } }],
        ["append-faults", { kinds: [{ violations: 1, requests: 5, "fault.throttle": 2 }] }],
        ["new-thing", { ...where, seed: 5, requests: 1_234, differences: 6 }],
      ]) as Parameters<typeof figuresOf>[0],
    );
    expect(page).toContain("| 2,000 seeds | **fails: brief-7**; 9 failed before and pass now |");
    expect(page).toContain(
      '| 2 mutants, each until a seed notices it | 1 noticed, **not: "lived"** |',
    );
    expect(page).toContain("| commit not recorded, Node 24.21.0 |");
    expect(page).toContain("3 lost, 0 reordered");
    expect(page).toContain("| 1 kinds of faults, 5 requests, 0 events, 2 faults | 1 violations |");
    expect(page).toContain(
      "[New thing](../test/results/new-thing.json) | 1,234 requests | 6 differences | 2026-11-24, 0123456, Node 24.21.0 |",
    );
  });

  it("stands between its marks, however often it is written", () => {
    const page = "a <!-- x -->old<!-- /x --> b";
    expect(fill(page, "x", "new")).toBe("a <!-- x -->new<!-- /x --> b");
    expect(fill(fill(page, "x", "new"), "x", "new")).toBe(fill(page, "x", "new"));
    expect(() => fill(page, "y", "new")).toThrow("no place");
  });
});
