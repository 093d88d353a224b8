import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { send, type Target } from "../contract/wire.ts";
import { type Press, type Pressed, pressServer } from "./slow-clients.ts";

/** A server in a process of its own, so that its memory is its own and its clients' is not. */
export type ServedApart = Target & {
  readonly usedMb: () => Promise<number>;
  stop(): Promise<void>;
};

export async function serveApart(endpoint: string | undefined): Promise<ServedApart> {
  const file = fileURLToPath(new URL("serve-apart.ts", import.meta.url));
  const child: ChildProcess = fork(file, endpoint === undefined ? [] : [endpoint], {
    execArgv: ["--expose-gc"],
  });
  const [target] = (await once(child, "message")) as [Target];
  return {
    ...target,
    usedMb: async () => {
      child.send("memory");
      const [usedMb] = (await once(child, "message")) as [number];
      return Math.round(usedMb);
    },
    stop: async () => {
      child.send("stop");
      await once(child, "exit");
    },
  };
}

export type PressReport = Pressed & { readonly usedBeforeMb: number; readonly usedAfterMb: number };

const SETTLE_MS = 3_000;
/** What broken-off requests hold is free within seconds, not at once. */
const LOOKS_MAX = 6;
const NOISE_MB = 10;

/** Presses a server of its own and tells how it did. */
export async function pressApart(endpoint: string | undefined, press: Press): Promise<PressReport> {
  const server = await serveApart(endpoint);
  try {
    const json = { "content-type": "application/json" };
    const body = '{"name":"pressed"}';
    await send(server, { method: "POST", path: "/streams", headers: json, body });
    // The first requests make the code warm, and the memory that is compared with.
    await pressServer(server, "pressed", { ...press, seconds: 1 });
    await sleep(SETTLE_MS);
    const usedBeforeMb = await server.usedMb();
    const pressed = await pressServer(server, "pressed", press);
    let usedAfterMb = await server.usedMb();
    for (let looks = 0; looks < LOOKS_MAX && usedAfterMb > usedBeforeMb + NOISE_MB; looks++) {
      await sleep(SETTLE_MS);
      usedAfterMb = await server.usedMb();
    }
    return { ...pressed, usedBeforeMb, usedAfterMb };
  } finally {
    await server.stop();
  }
}
