import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, inject, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "eventledger-"));
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Returns what `npm start` prints until it says how to stop it. */
async function start(env: Record<string, string>): Promise<string> {
  const started = spawn(process.execPath, ["packages/local/src/start.ts"], {
    env: {
      ...process.env,
      DYNAMODB_ENDPOINT: inject("dynamoEndpoint"),
      EVENTLEDGER_DATA: folder,
      TABLE_NAME: `start-${process.pid}`,
      PORT: String(await freePort()),
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  let printed = "";
  for await (const chunk of started.stdout) {
    printed += chunk;
    if (printed.includes("Ctrl-C")) break;
  }
  return printed;
}

describe("npm start", () => {
  it("npm start prints the key that it has created", async () => {
    const printed = await start({ EVENTLEDGER_ADMIN_KEY: "" });
    expect(printed).toContain(readFileSync(join(folder, "admin-key"), "utf8").trim());
  });

  it("npm start prints no key from the environment", async () => {
    const given = "a-secret-of-another-user";
    const printed = await start({ EVENTLEDGER_ADMIN_KEY: given });
    expect(printed).not.toContain(given);
    expect(printed).toContain("Bearer $EVENTLEDGER_ADMIN_KEY");
  });
});
