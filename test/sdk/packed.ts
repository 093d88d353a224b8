import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, expect, it } from "vitest";

export const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "eventledger-packed-"));
afterAll(() => rmSync(work, { recursive: true }));

export type Packed = { readonly folder: string; readonly tarball: string };

/** Builds and packs a copy of a package, so that nothing of an earlier build is in it. */
export function packPackage(name: "sdk" | "outbox"): Packed {
  const folder = join(work, name);
  cpSync(join(root, "packages", name), folder, {
    recursive: true,
    filter: (path) => !/\/(dist|node_modules)$/.test(path),
  });
  symlinkSync(join(root, "node_modules"), join(work, name, "node_modules"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", join(folder, "tsconfig.build.json")]);
  const npm = execFileSync("npm", ["pack", "--json", "--ignore-scripts"], { cwd: folder });
  return { folder, tarball: join(folder, JSON.parse(npm.toString())[0].filename) };
}

/** An empty project with packed packages, and links to what its programs import beside them. */
export function installIn(tarballs: readonly string[], links: readonly string[]): string {
  const project = mkdtempSync(join(work, "project-"));
  const npm = ["install", "--offline", "--no-audit", "--no-fund", ...tarballs];
  execFileSync("npm", npm, { cwd: project });
  for (const name of links) {
    mkdirSync(join(project, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  return project;
}

/** The tests of every package. */
export function packagingTests(packed: () => Packed): void {
  it("is clean for publint", async () => {
    const { messages } = await publint({ pkgDir: packed().folder, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that every ESM resolution finds", async () => {
    const data = createPackageFromTarballData(new Uint8Array(readFileSync(packed().tarball)));
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
    const manifest = JSON.parse(readFileSync(join(packed().folder, "package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("dependencies");
    expect(manifest).not.toHaveProperty("peerDependencies");
    expect(manifest.private).toBeUndefined();
  });
}
