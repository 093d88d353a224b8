import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensurePlatform, root } from "./platform.ts";

const dirs: string[] = [];
beforeAll(ensurePlatform);
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

describe("the types of SST", () => {
  it("sst.config.ts and infra/ match SST's types", () => {
    expect(compile("tsconfig.infra.json")).toBe("");
  });

  it("the types reject a setting that does not exist and a value that is not allowed", () => {
    const found = compile(
      projectOf(
        'new sst.aws.Function("A", { handler: "a.b", memmory: "1024 MB" });',
        'new sst.aws.Function("B", { handler: "a.b", runtime: "nodejs24" });',
        'new aws.cloudwatch.MetricAlarm("C", { threshold: 1 });',
      ),
    );
    expect(found).toContain("memmory");
    expect(found).toContain('"nodejs24"');
    expect(found).toContain("comparisonOperator");
  });
});

/** Returns the compiler's errors. Empty when there are none. */
function compile(project: string): string {
  const cli = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "-p", project], {
    cwd: root,
    encoding: "utf8",
  });
  const complaints = (stdout + stderr).trim();
  return status === 0 ? "" : complaints || `tsc ended with ${status}`;
}

function projectOf(...lines: string[]): string {
  const dir = mkdtempSync(path.join(root, ".sst", "types-"));
  dirs.push(dir);
  const reference = '/// <reference path="../platform/config.d.ts" />';
  writeFileSync(path.join(dir, "program.ts"), [reference, ...lines].join("\n"));
  const project = path.join(dir, "tsconfig.json");
  writeFileSync(
    project,
    JSON.stringify({ extends: "../../tsconfig.infra.json", include: ["program.ts"] }),
  );
  return project;
}
