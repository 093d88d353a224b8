import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRunning } from "../../packages/local/src/data-folder.ts";
import { DEFAULT_DATA_FOLDER } from "../../packages/local/src/settings.ts";
import { StackError } from "../../packages/local/src/stack-error.ts";
import { createTerminal } from "../../packages/local/src/terminal.ts";
import type { Door } from "./request.ts";
import { type DemoResult, runDemo } from "./run-demo.ts";

const json = process.argv.includes("--json");
const terminal = createTerminal(process.stdout, process.stderr);
const say = json ? () => {} : terminal.line;

try {
  const { door, close } = await findDoor();
  const result = await runDemo(door, json ? () => {} : terminal.step);
  if (json) console.log(JSON.stringify({ url: door.url, ...result }));
  else printResult(result);
  await close();
  process.exitCode = result.ok ? 0 : 1;
} catch (error) {
  terminal.problem(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** Returns the server that already runs, or a new stack in memory that ends with the demo. */
async function findDoor(): Promise<{ door: Door; close: () => Promise<void> }> {
  const dataFolder = process.env.EVENTLEDGER_DATA || DEFAULT_DATA_FOLDER;
  const given = process.env.EVENTLEDGER_URL;
  const url = given || loadRunning(dataFolder)?.url || "http://127.0.0.1:4000";
  if (await isEventLedger(url)) {
    say(`EventLedger demo on ${url}`);
    return { door: { url, apiKey: findKey(url, dataFolder) }, close: async () => {} };
  }
  if (given) throw new StackError(`No EventLedger answers at EVENTLEDGER_URL ${given}.`);
  say(`No EventLedger runs at ${url}: the demo starts one of its own, in memory, for itself.`);
  const { startStack } = await import("../../packages/local/src/stack.ts");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  const stack = await startStack(json ? {} : { onStep: terminal.step });
  return { door: { url: stack.url, apiKey: stack.adminKey }, close: stack.stop };
}

async function isEventLedger(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(3_000) });
    const health: unknown = await response.json();
    return response.ok && typeof health === "object" && health !== null && "status" in health;
  } catch {
    return false;
  }
}

function findKey(url: string, dataFolder: string): string {
  const given = process.env.EVENTLEDGER_API_KEY || process.env.EVENTLEDGER_ADMIN_KEY;
  if (given) return given;
  const file = join(dataFolder, "admin-key");
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new StackError(
      `An EventLedger runs at ${url}, but its key is not in ${file}: set EVENTLEDGER_API_KEY.`,
    );
  }
}

function printResult(result: DemoResult): void {
  const { bold, green, line } = terminal;
  const { published, keys, requests, publishMs, beforeKill, afterKill, again } = result;
  line(
    `  publish  ${published} GitHub webhooks about ${keys} things into the stream ` +
      `${bold(result.stream)}: ${requests} requests, ${publishMs} ms`,
  );
  line(`  follow   another process received ${beforeKill} of them, then was killed (kill -9)`);
  line(
    `  resume   its successor received ${afterKill}, among them ${again} again that were ` +
      "processed but not yet committed",
  );
  const verdict = result.ok ? green("ok") : "FAILED";
  const order = result.inOrder ? "in order" : "NOT in order";
  const contents = result.equal ? "contents equal" : "contents NOT equal";
  line(
    `  ${bold("result")}   ${verdict}: ${result.received} of ${published} received, ` +
      `${result.missing === 0 ? "none" : result.missing} missing, ${order}, ${contents}`,
  );
}
