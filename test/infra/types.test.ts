import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensurePlatform, root } from "./platform.ts";

/** Each line has a mistake that the types must find. */
const MISTAKES = [
  'new sst.aws.Function("A", { handler: "a.b", memmory: "1024 MB" });',
  'new sst.aws.Function("B", { handler: "a.b", runtime: "nodejs24" });',
  'new aws.cloudwatch.MetricAlarm("C", { threshold: 1 });',
];

describe("the types of SST", () => {
  let dir: string;
  /** The compiler's complaints about the mistakes, and about everything else. */
  let complaints: { ofMistakes: string; others: string };

  beforeAll(async () => {
    await ensurePlatform();
    dir = mkdtempSync(path.join(root, ".sst", "types-"));
    complaints = compileWithMistakes(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it("sst.config.ts and infra/ match SST's types", () => {
    expect(complaints.others).toBe("");
  });

  it("the types reject a setting that does not exist and a value that is not allowed", () => {
    expect(complaints.ofMistakes).toContain("memmory");
    expect(complaints.ofMistakes).toContain('"nodejs24"');
    expect(complaints.ofMistakes).toContain("comparisonOperator");
  });
});

/**
 * Compiles sst.config.ts, infra/ and a program with mistakes together, because reading SST's types
 * takes longest.
 */
function compileWithMistakes(dir: string) {
  const reference = '/// <reference path="../platform/config.d.ts" />';
  writeFileSync(path.join(dir, "mistakes.ts"), [reference, ...MISTAKES].join("\n"));
  const project = path.join(dir, "tsconfig.json");
  const include = ["mistakes.ts", "../../sst.config.ts", "../../infra/**/*.ts"];
  writeFileSync(project, JSON.stringify({ extends: "../../tsconfig.infra.json", include }));
  const cli = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, "-p", project, "--pretty", "false"],
    { cwd: root, encoding: "utf8" },
  );
  if (status === 0) throw new Error("The compiler found no mistake.");
  // A complaint begins with its place. Its further lines are indented.
  const found = (stdout + stderr).trim().split(/\n(?! )/);
  const isOfMistakes = (complaint: string) => /^[^(]*mistakes\.ts\(/.test(complaint);
  return {
    ofMistakes: found.filter(isOfMistakes).join("\n"),
    others: found.filter((complaint) => !isOfMistakes(complaint)).join("\n"),
  };
}
