/**
 * Measures how long `npm start` takes until the local stack is ready, in a folder where it has run
 * before, on disk. Exits with 1 if the middle run takes a second or more.
 *
 * node bench/start.bench.ts [runs]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { recordResult } from "./record.ts";
import { makeFolder } from "./separate-stack.ts";

const [runs = "9"] = process.argv.slice(2);
const READY_SECONDS_MAX = 1;

const folder = makeFolder();
const times: number[] = [];
// The first run makes the folder, and does not count.
for (let run = 0; run <= Number(runs); run++) {
  const seconds = await startOnce();
  if (run > 0) times.push(seconds);
}
rmSync(folder, { recursive: true, force: true });
const seconds = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Infinity;
const met = seconds < READY_SECONDS_MAX;
recordResult("start", { met, seconds, slowest: Math.max(...times), runs: times.length });
process.exitCode = met ? 0 : 1;

/** Returns the seconds from the call of the command until it says that the stack is ready. */
async function startOnce(): Promise<number> {
  const began = performance.now();
  const child = spawn("npm", ["start", "--", "--port", "0", "--data", folder], {
    cwd: resolve(import.meta.dirname, ".."),
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const ended = once(child, "exit");
  let ready: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("ready ") || ready !== undefined) continue;
    ready = Math.round(performance.now() - began) / 1_000;
    // The command, npm and its shell are one group.
    process.kill(-(child.pid ?? 0), "SIGINT");
  }
  await ended;
  if (ready === undefined) throw new Error("npm start ended without being ready");
  return ready;
}
