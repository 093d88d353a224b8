import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { memoryFolder } from "../support/memory-folder.ts";
import { installIn, root } from "./packed.ts";
import { openStack } from "./stack.ts";

const { url, adminKey } = await openStack();
const folder = memoryFolder();
const page = readFileSync(join(root, "docs/two-services.md"), "utf8");
const programs = ["orders.ts", "shipping.ts"];

it("docs/two-services.md shows the programs as they are", () => {
  const shown = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code);
  expect(shown).toEqual(
    programs.map((name) => readFileSync(join(root, "packages/sdk/examples", name), "utf8")),
  );
});

it("the shipping service has the orders, whenever either service is killed", async () => {
  const cwd = installIn(["sdk", "outbox"], [], folder);
  for (const name of programs) cpSync(join(root, "packages/sdk/examples", name), join(cwd, name));
  const env = { ...process.env, EVENTLEDGER_URL: url, EVENTLEDGER_API_KEY: adminKey };
  const options = { cwd, env, timeout: 200_000 };
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ["--no-warnings", ...args], { ...options, stdio: "ignore" });
  const kill = async (child: ChildProcess, afterMs: number): Promise<void> => {
    await sleep(afterMs);
    child.kill("SIGKILL");
  };
  for (let round = 0; round < 2; round++) {
    const services = [start("orders.ts", "500"), start("shipping.ts", "follow")];
    while (!existsSync(join(cwd, "orders.db"))) await sleep(20);
    await Promise.all(services.map((service) => kill(service, 300 + Math.random() * 500)));
  }
  // The imports for the commands of the page.
  const run = promisify(execFile);
  const node = process.execPath;
  const orders = await run(node, ["--no-warnings", "orders.ts", "500"], options);
  expect(orders.stdout).toBe("500 orders, and everything is published\n");
  const shipping = await run(node, ["--no-warnings", "shipping.ts"], options);
  expect(page).toContain(`It prints \`${shipping.stdout.trim()}\``);

  const rows = (name: string, query: string) => {
    const database = new DatabaseSync(join(cwd, name));
    return Object.fromEntries(
      database
        .prepare(query)
        .all()
        .map(({ id, total, status }) => [id, `${total} ${status}`]),
    );
  };
  const copied = rows(
    "shipping.db",
    `SELECT key AS id, value ->> 'total' AS total, value ->> 'status' AS status
     FROM eventledger_rows`,
  );
  expect(copied).toEqual(rows("orders.db", "SELECT id, total, status FROM orders"));
  expect(Object.keys(copied)).toHaveLength(500);
}, 240_000);
