import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { json, text } from "node:stream/consumers";

/**
 * Runs a bundled handler as Lambda does: in a separate process, in the folder of the package, with
 * only the function's environment. It passes the events one after another. It returns the answers
 * and the lines of the log.
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
    env,
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

const SCRIPT = `
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const { handler } = createRequire(process.cwd() + "/")("./bundle.cjs");
const answers = [];
for (const event of JSON.parse(process.argv[1])) answers.push(await handler(event, CONTEXT()) ?? null);
writeFileSync(3, JSON.stringify(answers));
process.exit(0);
function CONTEXT() {
  const end = Date.now() + 25_000;
  return { awsRequestId: crypto.randomUUID(), functionName: "bundle", getRemainingTimeInMillis: () => end - Date.now() };
}`;
