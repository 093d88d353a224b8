import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Mutation } from "../mutations.ts";
import { scenarios } from "./auto-growth-scenarios.ts";

const TIMEOUT_MS = 120_000;

describe("a stream that gets partitions by itself", () => {
  it.each(Object.entries(scenarios))("[partitions.auto] %s", { timeout: TIMEOUT_MS }, (_, play) =>
    play(),
  );
});

const PLAN = "compaction/growth-plan.ts";
const mutations: readonly Mutation[] = [
  {
    rule: "three crowded minutes in a row",
    file: PLAN,
    from: "const CROWDED_MINUTES = 3;",
    to: "const CROWDED_MINUTES = 2;",
  },
  {
    rule: "only batches that waited make a minute crowded",
    file: PLAN,
    from: "batches >= CROWDED_BATCHES && waited * 2 >= batches",
    to: "batches >= CROWDED_BATCHES",
  },
  {
    rule: "half of the partitions are crowded",
    file: PLAN,
    from: "if (crowded.length * 2 < partitions) return undefined;",
    to: "if (crowded.length === 0) return undefined;",
  },
  {
    rule: "only with auto",
    file: "compaction/compact-section.ts",
    from: "stream.auto === true && isInEpoch",
    to: "isInEpoch",
  },
  {
    rule: "a number ends it",
    file: "table/stream.entity.ts",
    from: '...(partitions === undefined || isAuto ? [] : (["auto"] as const)),',
    to: "",
  },
  {
    rule: "the row still has auto when it turns",
    file: "table/stream.entity.ts",
    from: `ifAuto ? \` AND \${eq(stored.auto, true)}\` : ""`,
    to: '""',
  },
];

describe("growth without one of its rules", () => {
  it.each(mutations)(
    "a scenario fails without the rule: $rule",
    {
      timeout: TIMEOUT_MS,
    },
    async (mutation) => {
      const failed = await playWithout(mutation);
      console.log(`${mutation.rule}: ${failed}`);
      expect(failed).not.toEqual([]);
    },
  );
});

/** Plays scenarios without one rule in a process of its own. Returns the first that fails. */
async function playWithout(mutation: Mutation): Promise<string[]> {
  const [hook, script] = ["../without-rule.ts", "play-auto-growth.ts"].map((name) =>
    join(import.meta.dirname, name),
  );
  const child = spawn(process.execPath, ["--import", hook ?? "", script ?? ""], {
    env: { ...process.env, MUTATION: JSON.stringify(mutation) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(child, "close");
  return JSON.parse(output);
}
