import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Loaded } from "./load.ts";
import { runChild } from "./run-child.ts";
import { type Load, ledgerTarget, type Target } from "./target.ts";

export type Place = "memory" | "disk";

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), "eventledger-bench-"));

/** Starts a local stack in a process of its own. `close` ends it and removes its data. */
export async function startSeparateStack(place: Place) {
  const folder = place === "disk" ? makeFolder() : undefined;
  const program = fileURLToPath(new URL("stack-process.ts", import.meta.url));
  const child = fork(program, folder === undefined ? [] : [folder]);
  const ended = once(child, "exit");
  const [{ url, apiKey }] = (await Promise.race([
    once(child, "message"),
    ended.then(([code]) => Promise.reject(new Error(`the stack ended with ${code}`))),
  ])) as [{ url: string; apiKey: string }];
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  return {
    url,
    apiKey,
    pid: child.pid ?? 0,

    /** Creates a stream with one partition. Returns where its events go. */
    async createStream(name: string): Promise<Target> {
      const body = JSON.stringify({ name, partitions: 1 });
      const answer = await fetch(`${url}/streams`, { method: "POST", headers, body });
      if (answer.status !== 201) throw new Error(await answer.text());
      return ledgerTarget(url, apiKey, name);
    },

    /** Returns the value of a counter of `/metrics`, such as `eventledger_append_puts_total`. */
    async counter(name: string): Promise<number> {
      const page = await (await fetch(`${url}/metrics`, { headers })).text();
      const line = page.split("\n").find((line) => line.startsWith(`${name} `));
      return Number(line?.slice(name.length) ?? 0);
    },

    async close(): Promise<void> {
      child.disconnect();
      await ended;
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a load in a process of its own. Throws if a request was refused. */
export async function runLoad(load: Load): Promise<Loaded> {
  const child = runChild<Loaded>("load.ts", JSON.stringify(load));
  await child.ready;
  child.start();
  const loaded = await child.result;
  if (loaded.refused > 0) throw new Error(`${loaded.refused} refused: ${loaded.refusal}`);
  return loaded;
}
