import { execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";

/**
 * These tests paste the commands of the pages into a shell, as a reader would, and compare the
 * answers.
 */

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "event ledger-"));
const adminKey = "an-admin-key-of-the-docs";
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `docs-${process.pid}`,
    dataFolder: join(folder, ".eventledger"),
    adminKey,
  });
  // A key from the environment is not written to the folder, but the README reads it from there.
  writeFileSync(join(folder, ".eventledger", "admin-key"), adminKey);
});

afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Block = { language: string; text: string };
const blocksOf = (page: string): Block[] =>
  [...readFileSync(page, "utf8").matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)].map(
    ([, language = "", text = ""]) => ({ language, text }),
  );
const local = (script: string) => script.replaceAll("http://127.0.0.1:4000", stack.url);

/** Returns what each block prints when the blocks are pasted one after another into one shell. */
async function paste(scripts: readonly string[], env: Record<string, string> = {}) {
  const mark = "=== next block";
  const script = local(scripts.join(`\necho '${mark}'\n`));
  const { stdout } = await run("bash", ["-euc", script], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  const printed = stdout.split(`${mark}\n`);
  return printed.map((lines) =>
    lines
      .replaceAll("}{", "}\n{")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line)),
  );
}

/**
 * Returns the part of an answer that a page shows. `…` matches any text, and members may be left
 * out.
 */
const shown = (value: unknown): unknown => {
  if (value === "…") return expect.any(String);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, shown(member)]);
  return expect.objectContaining(Object.fromEntries(members));
};

const readme = blocksOf("README.md");
const walk = readme.filter(({ language, text }) => language === "sh" && text.includes("api "));

describe("README", () => {
  it("README shows the actual answers, and the requests of the concepts work after them", async () => {
    const answersShown = walk.map((block) => {
      const next = readme[readme.indexOf(block) + 1];
      expect(next?.language, `the answers to ${block.text}`).toBe("json");
      return (next?.text ?? "").trim().split("\n");
    });
    const guide = blocksOf("docs/concepts.md").filter(({ language }) => language === "sh");
    const answers = await paste([...walk, ...guide].map(({ text }) => text));
    for (const [index, lines] of answersShown.entries())
      expect(answers[index], walk[index]?.text).toEqual(
        lines.map((line) => shown(JSON.parse(line))),
      );
    expect(answers.slice(walk.length)).toMatchObject([
      [
        { key: "order-1", sequence: 2, status: "parked" },
        { parked: [{ key: "order-1", reason: "no such customer" }] },
      ],
      [{ key: "order-1", status: "retrying" }, { events: [{ sequence: 2 }] }],
    ]);
  });

  it("the consumer in README works as saved", async () => {
    const [program] = readme.filter(({ language }) => language === "js");
    writeFileSync(join(folder, "consume.mjs"), local(program?.text ?? ""));
    const consumer = spawn(process.execPath, ["consume.mjs"], {
      cwd: folder,
      env: { ...process.env, KEY: adminKey },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let printed = "";
      for await (const chunk of consumer.stdout) {
        printed += chunk;
        if (printed.includes("3 order-2")) break;
      }
      expect(printed).toContain("2 order-1 { total: 42, paid: true }\n3 order-2 { total: 7 }");
    } finally {
      consumer.kill();
    }
  });
});

describe("the concepts", () => {
  it("the event stream of the concepts shows pages as they come", async () => {
    const [block] = blocksOf("docs/concepts.md").filter(({ language }) => language === "bash");
    const env = { ...process.env, KEY: adminKey, URL: `${stack.url}/streams` };
    const curl = spawn("bash", ["-c", `exec ${block?.text}`], { cwd: folder, env });
    try {
      let printed = "";
      for await (const chunk of curl.stdout) {
        printed += chunk;
        if (printed.includes('"caughtUp":true')) break;
      }
      expect(printed).toMatch(/^retry: 1000\n\nevent: page\nid: .+\ndata: \{"events":\[\]/);
    } finally {
      curl.kill();
    }
  });
});

describe("push", () => {
  it("the receiver of the page verifies and prints what the page publishes", async () => {
    const blocks = blocksOf("docs/push.md");
    const [setUp, publish] = blocks.filter(({ text }) => /^(KEY=|api )/.test(text));
    const [receiver] = blocks.filter(({ language }) => language === "js");
    const port = 20_000 + (process.pid % 20_000);
    const [answers = []] = await paste([setUp?.text.replace("3000", String(port)) ?? ""]);
    expect(answers.at(-1)).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "hook.mjs"), receiver?.text.replace("3000", String(port)) ?? "");
    const hook = spawn(process.execPath, ["hook.mjs"], {
      cwd: folder,
      env: { ...process.env, SECRET: answers.at(-1).secret },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const url = `http://127.0.0.1:${port}/hook`;
      const forged = () => fetch(url, { method: "POST", body: "{}" }).catch(() => undefined);
      await expect.poll(async () => (await forged())?.status, { timeout: 60_000 }).toBe(401);
      await paste([`${setUp?.text.split("\n\n")[0]}\n${publish?.text}`]);
      let printed = "";
      for await (const chunk of hook.stdout) {
        printed += chunk;
        if (printed.includes("payment-1")) break;
      }
      expect(printed).toBe("payment-1 1 { total: 42 }\n");
    } finally {
      hook.kill();
    }
  });
});

describe("portal", () => {
  it("the commands of the page make tokens, and a token reads what its prefix covers", async () => {
    const blocks = blocksOf("docs/portal.md").filter(({ language }) => language === "sh");
    const [made = [], read = []] = await paste(blocks.map(({ text }) => text));
    expect(made.at(-1)).toMatchObject({
      token: expect.stringMatching(/^elt_/),
      keyPrefix: "acme/",
      subscriptions: ["acme"],
    });
    expect(read).toMatchObject([{ events: [{ key: "acme/order-1", data: { total: 42 } }] }]);
  });
});

describe("schemas", () => {
  it("the page shows the actual answers", async () => {
    const blocks = blocksOf("docs/schemas.md");
    const scripts = blocks.filter(({ language }) => language === "sh");
    expect(scripts.length).toBeGreaterThan(2);
    const answers = await paste(scripts.map(({ text }) => text));
    for (const [index, script] of scripts.entries()) {
      const next = blocks[blocks.indexOf(script) + 1];
      expect(answers[index]?.at(-1), script.text).toEqual(shown(JSON.parse(next?.text ?? "")));
    }
  });
});

/** README archives the stream `orders`. The other pages create it as it was before. */
const stopArchive = () =>
  fetch(`${stack.url}/streams/orders`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: '{"archiveDays":null}',
  });

describe("docs", () => {
  const requests = (page: string) =>
    blocksOf(page)
      .filter(({ language, text }) => language === "sh" && /^(curl|export URL)/m.test(text))
      .map(({ text }) => text.replace("<the url of the last lines>", stack.url));

  it.each(["docs/access.md", "docs/deploy.md", "docs/usage.md"])(
    "the requests in %s work",
    async (page) => {
      const blocks = requests(page);
      expect(blocks.length).toBeGreaterThan(0);
      await stopArchive();
      const answers = await paste(blocks, { URL: stack.url, ADMIN_KEY: adminKey });
      for (const answer of answers.flat()) expect(answer, page).not.toHaveProperty("code");
      expect(answers.flat().length).toBeGreaterThan(0);
    },
  );

  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    "bench/README.md",
    ...readdirSync("docs").flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ];
  const lines = pages.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
      .map((line) => ({ page, line })),
  );

  it("pages name only scripts, programs and folders that exist", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    const missing = lines.flatMap(({ page, line }) => {
      const named = [...line.matchAll(/npm (?:run (?:--silent )?)?([a-z:-]+)/g)]
        .map(([, script = ""]) => script)
        .filter((script) => !["ci", "install"].includes(script) && !(script in scripts));
      const paths = [...line.matchAll(/(?<=node |\s|=)((?:test|packages|infra)\/[\w./-]+)/g)]
        .map(([, path = ""]) => path)
        .filter((path) => !existsSync(path));
      return [...named, ...paths].map((name) => `${page}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("every command begins with a program that some test runs or a reader knows", () => {
    const known =
      /^(\s|$|#|\{|[A-Z_]+=|export |api\b|curl |npm |npx |node |git |aws |pip |go |mvn |cargo |openapi-python-client |echo |el |source )/;
    expect(lines.filter(({ line }) => !known.test(line))).toEqual([]);
  });
});
