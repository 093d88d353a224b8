import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fill, loadRecords, proofPage, tableOf } from "./proof.ts";
import { count, none } from "./record.ts";

describe("the table of docs/proof.md", () => {
  it("the page shows what the records say (npm run proof:page)", () => {
    expect(readFileSync("docs/proof.md", "utf8")).toBe(proofPage());
  });

  it("every record has a sentence, a date and a commit", () => {
    for (const [name, { said, ...record }] of loadRecords()) {
      for (const text of [said.part, said.ran, said.found]) expect(text, name).toMatch(/\w{2}/);
      const commits = [record.commit, ...(record.stretches ?? []).map((run) => run.commit)];
      expect(commits.join(" "), name).toMatch(/[0-9a-f]{40}/);
      expect(record.ended ?? record.saved, name).toMatch(/^\d{4}-\d{2}-\d{2}T/);
    }
  });

  it("each row links its record, and names every commit of a campaign once", () => {
    const run = (commit: string) => ({ commit: commit.repeat(40), node: "v24.21.0" });
    const said = { part: "Sim", ran: "2 seeds", found: "no failing seed" };
    const stretches = [run("a"), run("b"), run("a")];
    const table = tableOf(new Map([["sim", { said, saved: "2026-11-24T04:51:15Z", stretches }]]));
    expect(table.split("\n").at(-1)).toBe(
      "| [Sim](../test/results/sim.json) | 2 seeds | no failing seed | 2026-11-24, aaaaaaa bbbbbbb, Node 24.21.0 |",
    );
  });

  it("only the text between the marks is replaced", () => {
    const page = "a <!-- x -->old<!-- /x --> b";
    expect(fill(page, "x", "new")).toBe("a <!-- x -->new<!-- /x --> b");
    expect(fill(fill(page, "x", "new"), "x", "new")).toBe(fill(page, "x", "new"));
    expect(() => fill(page, "y", "new")).toThrow("no place");
  });

  it("counts are written in words, with failures in bold", () => {
    expect([count(1, "seed"), count(2_000, "seed")]).toEqual(["1 seed", "2,000 seeds"]);
    expect([none(0, "violation"), none(3, "violation")]).toEqual([
      "no violation",
      "**3 violations**",
    ]);
  });
});
