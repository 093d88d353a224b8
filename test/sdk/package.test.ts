import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSnippets } from "./snippets.ts";
import { openStack } from "./stack.ts";

const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "eventledger-sdk-"));
const pack = join(work, "package");
afterAll(() => rmSync(work, { recursive: true }));

/** Built from a copy, so that nothing of an earlier build is in it. */
let tarball: string;
beforeAll(() => {
  cpSync(join(root, "packages/sdk"), pack, {
    recursive: true,
    filter: (path) => !/\/(dist|node_modules)$/.test(path),
  });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(pack, "tsconfig.build.json")]);
  const npm = execFileSync("npm", ["pack", "--json", "--ignore-scripts"], { cwd: pack });
  tarball = join(pack, JSON.parse(npm.toString())[0].filename);
}, 120_000);

describe("the package", () => {
  it("is clean for publint", async () => {
    const { messages } = await publint({ pkgDir: pack, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that every ESM resolution finds", async () => {
    const data = createPackageFromTarballData(new Uint8Array(readFileSync(tarball)));
    const analysis = await checkPackage(data);
    if (analysis.types === false) expect.fail("no types");
    // The package is ESM only: CommonJS reaches it with import(), or require() of Node 22.
    const wrong = analysis.problems.filter(
      ({ kind, ...where }) =>
        !(kind === "CJSResolvesToESM") &&
        !("resolutionKind" in where && where.resolutionKind === "node10"),
    );
    expect(wrong).toEqual([]);
  });

  it("has no dependency", () => {
    const manifest = JSON.parse(readFileSync(join(pack, "package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("dependencies");
    expect(manifest).not.toHaveProperty("peerDependencies");
    expect(manifest.private).toBeUndefined();
  });

  it.each([
    ["index.js", 9_216],
    ["publish.js", 4_096],
  ])("is small: %s takes at most %i bytes, minified and as gzip", async (entry, most) => {
    // For browsers: what needs Node would be left as an import.
    const bundle = await rolldown({ input: join(pack, "dist", entry), platform: "browser" });
    const { output } = await bundle.generate({ minify: true });
    expect(output).toHaveLength(1);
    expect(output[0].imports).toEqual([]);
    const bytes = gzipSync(output[0].code).length;
    console.log(`${entry}: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(most);
  });

  it("runs its README, installed from its tarball", async () => {
    const { url, adminKey } = await openStack();
    const project = mkdtempSync(join(work, "project-"));
    const npm = ["install", "--offline", "--no-audit", "--no-fund", tarball];
    execFileSync("npm", npm, { cwd: project });
    // Only what the snippets themselves import beside the package.
    for (const name of ["zod"]) {
      symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
    }
    await runSnippets({ project, readme: join(pack, "README.md"), url, apiKey: adminKey });
  });
});
