import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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
const mutations: readonly (Mutation & { readonly fails: string })[] = [
  {
    rule: "three crowded minutes in a row",
    fails: "a stream grows after three crowded minutes, and the next publish completes the change",
    file: PLAN,
    from: "const CROWDED_MINUTES = 3;",
    to: "const CROWDED_MINUTES = 2;",
  },
  {
    rule: "only batches that waited make a minute crowded",
    fails: "a stream whose writers do not wait keeps its partitions",
    file: PLAN,
    from: "batches >= rule.batches && waited * 2 >= batches",
    to: "batches >= rule.batches",
  },
  {
    rule: "half of the partitions are crowded",
    fails: "a stream grows if half of its partitions are crowded, and not for one of four",
    file: PLAN,
    from: "if (crowded.length * 2 < partitions) return undefined;",
    to: "if (crowded.length === 0) return undefined;",
  },
  {
    rule: "only with auto",
    fails: "a stream that never wanted it keeps no count",
    file: "compaction/compact-section.ts",
    from: "stream.auto === true && isInEpoch",
    to: "isInEpoch",
  },
  {
    rule: "a number ends it",
    fails: "a number of partitions ends that a stream grows",
    file: "table/stream.entity.ts",
    from: '...(partitions === undefined || isAuto ? [] : (["auto"] as const)),',
    to: "",
  },
  {
    rule: "the row still has auto when it turns",
    fails: "a number of partitions ends that a stream grows",
    file: "table/stream.entity.ts",
    from: `ifAuto ? \` AND \${eq(stored.auto, true)}\` : ""`,
    to: '""',
  },
];

describe("growth without one of its rules", () => {
  it.each(mutations)(
    "a scenario fails without the rule: $rule",
    { timeout: TIMEOUT_MS },
    async ({ fails, ...mutation }) => {
      expect(await isBrokenWithout(mutation, fails)).toBe(true);
    },
  );
});

/** Plays a scenario without one rule in a process of its own. Returns whether it fails. */
async function isBrokenWithout(mutation: Mutation, scenario: string): Promise<boolean> {
  const [hook = "", script = ""] = ["../without-rule.ts", "play-auto-growth.ts"].map((name) =>
    join(import.meta.dirname, name),
  );
  const child = spawn(process.execPath, ["--import", hook, script, scenario], {
    env: { ...process.env, MUTATION: JSON.stringify(mutation) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout));
}
