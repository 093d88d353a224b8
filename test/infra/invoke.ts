import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { json, text } from "node:stream/consumers";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

/**
 * Runs a bundled handler as Lambda does: in a separate process, in the folder of the package, with
 * only the function's environment and Node's cache. It passes the events one after another, and
 * returns the answers and the lines of the log. An answer that is streamed has its body as text.
 * Its call may take 12 seconds.
 */
export async function invoke(
  dir: string,
  env: Record<string, string>,
  events: unknown[],
): Promise<{ answers: unknown[]; log: string[] }> {
  const args = ["--input-type=module", "--eval", SCRIPT, JSON.stringify(events)];
  const stdio = ["ignore", "pipe", "pipe", "pipe"] as const;
  const child = spawn(process.execPath, args, {
    cwd: dir,
    env: { ...COMPILE_CACHE, ...env },
    stdio: [...stdio],
    timeout: 60_000,
  });
  const [answers, printed, complaints, [code]] = await Promise.all([
    json(child.stdio[3] as Readable).catch(() => undefined),
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, "close"),
  ]);
  if (code === 0 && Array.isArray(answers)) {
    return { answers, log: (printed + complaints).split("\n").filter((line) => line !== "") };
  }
  // Long lines are left out, because a stack trace of a minified bundle quotes whole lines of it.
  const tail = (printed + complaints).replaceAll(/^.{500,}$/gm, "...").slice(-2_000);
  throw new Error(`The handler ended with ${code}.\n${tail}`);
}

const RUNTIME = new URL("../doors/streaming-runtime.ts", import.meta.url).href;

const SCRIPT = `
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
const { awslambda, startRuntime } = await import(${JSON.stringify(RUNTIME)});
let streams = false;
globalThis.awslambda = { ...awslambda, streamifyResponse: (streamed) => { streams = true; return streamed; } };
const { handler } = createRequire(process.cwd() + "/")("./bundle.cjs");
const runtime = streams ? await startRuntime({ timeoutMs: 12_000 }) : undefined;
const answers = [];
for (const event of JSON.parse(process.argv[1])) answers.push(await answer(event) ?? null);
writeFileSync(3, JSON.stringify(answers));
process.exit(0);
async function answer(event) {
  if (runtime === undefined) return handler(event, CONTEXT());
  const { head, body } = await runtime.call(handler, event);
  return { ...head, body: await text(body) };
}
function CONTEXT() {
  const end = Date.now() + 25_000;
  return { awsRequestId: crypto.randomUUID(), functionName: "bundle", getRemainingTimeInMillis: () => end - Date.now() };
}`;
