import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "../contract/client.ts";
import type { Target } from "../contract/wire.ts";
import { type Press, type Pressed, pressServer } from "./slow-clients.ts";

/** A server in a separate process, so that its memory does not include that of its clients. */
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

/** The limits that a server under load must keep. */
export type Rules = {
  /**
   * The maximum ratio between the 99th percentile of publishes with and without hostile clients.
   */
  readonly p99Factor: number;
  /** Below this time, the figures reflect the machine rather than the server. */
  readonly p99FloorMs: number;
};

/** The maximum growth of memory in use after a garbage collection. */
const GROWTH_MB = 10;
/** The share of early hang-ups that may meet a server that has not read their request yet. */
const CUT_OFF_SHARE = 0.01;
const CONNECTIONS_MAX = 1_024;

/** Returns the limits that a report exceeds, in words. Empty when it keeps all of them. */
export function faultsOf(report: PressReport, { idle }: Press, rules: Rules): string[] {
  const p99MaxMs = Math.max(rules.p99FloorMs, rules.p99Factor * report.quietP99Ms);
  const faults: [boolean, string][] = [
    [report.failed > 0, `${report.failed} publishes failed`],
    [report.published < 20, `only ${report.published} publishes were answered`],
    [report.pressedP99Ms >= p99MaxMs, `p99 is not below ${p99MaxMs.toFixed(1)} ms`],
    [report.waitFailed > 0, `${report.waitFailed} long polls were not answered with a page`],
    [report.cutOff > report.hungUp * CUT_OFF_SHARE, `${report.cutOff} long polls were cut off`],
    [report.closedByServer < idle - CONNECTIONS_MAX, "idle connections were not closed"],
    [
      report.usedAfterMb > report.usedBeforeMb + GROWTH_MB,
      `memory has grown by more than ${GROWTH_MB} MB`,
    ],
  ];
  return faults.flatMap(([isBroken, what]) => (isBroken ? [what] : []));
}

const SETTLE_MS = 3_000;
/** Aborted requests free their memory within seconds, not at once. */
const LOOKS_MAX = 10;

/** Puts load on a server in a separate process, and returns the report. */
export async function pressApart(endpoint: string | undefined, press: Press): Promise<PressReport> {
  const server = await serveApart(endpoint);
  try {
    const api = createClient(server);
    const [stream, idleStream] = [await api.newStream(), await api.newStream()];
    await api.createSubscription(idleStream, { name: "waiting" });
    const { baseUrl, apiKey } = server;
    const pressing = { target: { baseUrl, apiKey }, stream, idleStream, press };
    // The first requests warm up the code and the memory with which later figures are compared.
    await pressServer({ ...pressing, press: { ...press, seconds: 1 } });
    await sleep(SETTLE_MS);
    const usedBeforeMb = await server.usedMb();
    const pressed = await pressServer(pressing);
    let usedAfterMb = await server.usedMb();
    for (let looks = 0; looks < LOOKS_MAX && usedAfterMb > usedBeforeMb + GROWTH_MB; looks++) {
      await sleep(SETTLE_MS);
      usedAfterMb = await server.usedMb();
    }
    return { ...pressed, usedBeforeMb, usedAfterMb };
  } finally {
    await server.stop();
  }
}
