import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { openCli, run } from "./open-cli.ts";
import { createReader } from "./read-page.ts";
import { wordsOf } from "./words.ts";

/** The pages contain the exact output on a terminal of 80 columns. */
const cli = await openCli();
const { url, adminKey, home } = cli;
const { env, readPage } = createReader(cli);

it("every command of docs/cli.md prints what the page shows", { timeout: 180_000 }, async () => {
  await readPage("docs/cli.md", async (section) => {
    if (section === "## Parked keys") await park();
  });
});

async function park(): Promise<void> {
  const orders = new EventLedger({ url, apiKey: adminKey }).stream("orders");
  const shipping = orders.subscription("shipping");
  await shipping.park({ key: "order-1", sequence: 1, reason: "Error: no such address" });
  await shipping.park({ key: "order-3", sequence: 4, reason: "Error: total is too large" });
}

it("the commands of docs/cli.md that follow something end with Ctrl-C", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/cli.md"), "utf8");
  const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, code = ""]) => code.trim().split("\n"))
    .filter((line) => line.startsWith("el ") && !/start|completion/.test(line));
  expect(commands.length).toBeGreaterThan(5);
  await Promise.all(
    commands.map(async (command) => {
      const signal = AbortSignal.timeout(1_500);
      const how = { env, cwd: home, tty: true, signal };
      const { code, err } = await run(wordsOf(command).slice(1), how);
      expect([command, code, err]).toEqual([command, 130, expect.anything()]);
    }),
  );
});

it("the commands of docs/erasure.md print what it shows", { timeout: 60_000 }, async () => {
  const { readPage: read } = createReader(await openCli());
  await read("docs/erasure.md");
});

it("the commands of README.md print what it shows", { timeout: 60_000 }, async () => {
  const { readPage: read } = createReader(await openCli());
  await read("README.md");
});
