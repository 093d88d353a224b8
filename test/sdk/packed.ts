import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { expect, it } from "vitest";
import { packLibrary } from "../../tools/pack/pack-library.ts";
import { makeOnce } from "../support/make-once.ts";

export const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "eventledger-packed-"));
// Several test files of a worker share this module, so the folder lasts as long as the worker.
process.once("exit", () => rmSync(work, { recursive: true, force: true }));

export type Packed = { readonly folder: string; readonly tarball: string };

/**
 * Builds and packs a copy of a package, so that nothing of an earlier build is in it. Several test
 * files need the same tarball, so it is kept until a source changes.
 */
export function packPackage(name: Name): Packed {
  const folder = makeOnce(keptAs(`${name}-${digestOf(name)}`), (making) => packInto(making, name));
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  return { folder, tarball: join(folder, tarball ?? "none") };
}

type Name = "sdk" | "outbox";

const keptAs = (name: string): string => join(root, "node_modules/.cache/eventledger", name);

/**
 * Returns the folder of a project into which npm has installed both packages from their tarballs.
 * It is kept until a source changes.
 */
function installPackages(): string {
  const digest = createHash("sha256").update(digestOf("sdk")).update(digestOf("outbox"));
  const kept = keptAs(`installed-${digest.digest("hex").slice(0, 16)}`);
  return makeOnce(kept, (making) => {
    const tarballs = (["sdk", "outbox"] as const).map((name) => packPackage(name).tarball);
    // Inside `node_modules`, npm would install into the repository.
    const project = mkdtempSync(join(work, "installed-"));
    const npm = ["install", "--offline", "--no-audit", "--no-fund", ...tarballs];
    execFileSync("npm", npm, { cwd: project });
    cpSync(project, making, { recursive: true, verbatimSymlinks: true });
  });
}

/**
 * Builds outside `node_modules`. Inside, the compiler takes the copy for an installed package, and
 * some types that it infers import from the path of the copy.
 */
function packInto(folder: string, name: Name): void {
  const built = mkdtempSync(join(work, `${name}-`));
  packLibrary(name, built);
  cpSync(built, folder, { recursive: true });
}

/**
 * Returns a digest of all files of a package, of this file, and of the locked versions of the build
 * tools.
 */
function digestOf(name: Name): string {
  const source = join(root, "packages", name);
  const hash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(readFileSync(import.meta.filename));
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/](dist|node_modules)[/]/.test(path.slice(source.length)))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Creates a project with packages as npm installs them from their tarballs, and with links to the
 * other packages that its programs import.
 */
export function installIn(
  names: readonly Name[],
  links: readonly string[],
  parent: string = work,
): string {
  const project = mkdtempSync(join(parent, "project-"));
  const [from, to] = [installPackages(), project].map((folder) => join(folder, "node_modules"));
  for (const part of [".bin", ...names.map((name) => `@eventledger/${name}`)]) {
    cpSync(join(`${from}`, part), join(`${to}`, part), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of links) {
    mkdirSync(join(project, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  return project;
}

/** The tests that every package must pass. */
export function packagingTests(packed: () => Packed): void {
  it("is clean for publint", async () => {
    const { messages } = await publint({ pkgDir: packed().folder, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that every ESM resolution finds", () => {
    const program = join(import.meta.dirname, "check-types.ts");
    const { tarball } = packed();
    const env = { ...process.env, NODE_OPTIONS: "" };
    const printed = execFileSync(process.execPath, [program, tarball], { encoding: "utf8", env });
    const problems: "no types" | { kind: string; resolutionKind?: string }[] = JSON.parse(printed);
    if (problems === "no types") expect.fail(problems);
    // The package is ESM only. CommonJS code loads it with import(), or with require() from Node 22
    // on.
    const wrong = problems.filter(
      ({ kind, resolutionKind }) =>
        kind !== "CJSResolvesToESM" && (resolutionKind ?? "") !== "node10",
    );
    expect(wrong).toEqual([]);
  });

  it("has types that import only its own modules and the SDK", () => {
    const dist = join(packed().folder, "dist");
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" });
    const imports = files
      .filter((file) => file.endsWith(".d.ts"))
      .flatMap((file) => [
        ...readFileSync(join(dist, file), "utf8").matchAll(/(?:from |import\()"([^"]+)"/g),
      ])
      .map(([, specifier = ""]) => specifier);
    expect(imports).not.toEqual([]);
    expect(imports.filter((each) => !/^(\.|@eventledger\/sdk|node:)/.test(each))).toEqual([]);
  });

  it("has no dependency", () => {
    const manifest = JSON.parse(readFileSync(join(packed().folder, "package.json"), "utf8"));
    expect(manifest).not.toHaveProperty("dependencies");
    expect(manifest).not.toHaveProperty("peerDependencies");
    expect(manifest.private).toBeUndefined();
  });
}
