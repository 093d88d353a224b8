import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { memoryFolder } from "../support/memory-folder.ts";
import { installIn, root } from "./packed.ts";
import { openStack } from "./stack.ts";

const { url, adminKey, ledger } = await openStack();
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
  const published = (): Promise<number> =>
    ledger.request<{ eventCount: number }>({ method: "GET", path: "/streams/orders" }).then(
      ({ eventCount }) => eventCount,
      () => 0,
    );
  /** Waits until the service has published some more events. */
  const publishMore = async (orders: ChildProcess): Promise<void> => {
    const enough = (await published()) + 20 + Math.random() * 60;
    while ((await published()) < enough) {
      expect(orders.exitCode, "the orders service runs").toBe(null);
      await sleep(10);
    }
  };
  const kill = async (service: ChildProcess): Promise<void> => {
    expect(service.exitCode ?? 0).toBe(0);
    if (service.exitCode === 0) return;
    const ended = once(service, "exit");
    service.kill("SIGKILL");
    await ended;
  };
  /** The lease of a killed relay lasts for half a minute. This lets the time pass at once. */
  const endLeases = (): void => {
    using database = new DatabaseSync(join(cwd, "orders.db"));
    database.exec("UPDATE eventledger_outbox_relays SET until = until - 1");
  };
  // The shipping service would end where there is no stream yet.
  await ledger.createStream("orders");
  for (const last of ["orders", "shipping"]) {
    const orders = start("orders.ts", "500");
    const shipping = start("shipping.ts", "follow");
    await publishMore(orders);
    if (last === "orders") {
      await kill(shipping);
      await publishMore(orders);
      await kill(orders);
    } else {
      await kill(orders);
      await sleep(Math.random() * 300);
      await kill(shipping);
    }
    endLeases();
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
