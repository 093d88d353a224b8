import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Target } from "../contract/wire.ts";

/** How hard a server is pressed, and for how long. */
export type Press = {
  readonly seconds: number;
  /** Connections on which nothing is ever sent. */
  readonly idle: number;
  /** Connections on which a request arrives byte by byte, headers or body. */
  readonly slow: number;
  /** Long polls a second whose client hangs up before the answer. */
  readonly earlyCloses: number;
  /** Long polls at a time whose client waits for the answer. */
  readonly patient: number;
};

/** What the clients have to do with: a stream that is published to, and one that never is. */
export type Pressing = {
  readonly target: Target;
  readonly stream: string;
  /** With a subscription named `waiting`. */
  readonly idleStream: string;
  readonly press: Press;
};

export type HostileCounts = {
  opened: number;
  /** Of the idle and the slow connections. */
  closedByServer: number;
  /** Long polls that were given up by their client. */
  hungUp: number;
  /** Long polls that were answered or closed before that. */
  cutOff: number;
};

export type Pressed = Readonly<HostileCounts> & {
  readonly quietP99Ms: number;
  readonly pressedP99Ms: number;
  readonly published: number;
  readonly failed: number;
  /** Long polls that were waited for, and of these such as were not answered with a page. */
  readonly waited: number;
  readonly waitFailed: number;
};

const QUIET_MS_MIN = 1_000;

/**
 * Publishes at a steady pace, first alone and then while hostile clients hold on to the server,
 * which keep as many connections open as they are allowed to.
 */
export async function pressServer(pressing: Pressing): Promise<Pressed> {
  const { press } = pressing;
  const quietMs = Math.max(QUIET_MS_MIN, (press.seconds * 1_000) / 4);
  const quiet = await publishFor(pressing, quietMs);
  const hostile = new Worker(new URL("hostile-clients.ts", import.meta.url), {
    workerData: pressing,
  });
  const patient = pollPatiently(pressing);
  const pressed = await publishFor(pressing, press.seconds * 1_000);
  // Those who wait are answered while the others still hold on.
  const waits = await patient.stop();
  hostile.postMessage("stop");
  const [counts] = (await once(hostile, "message")) as [HostileCounts];
  await hostile.terminate();
  return {
    quietP99Ms: p99(quiet.tookMs),
    pressedP99Ms: p99(pressed.tookMs),
    published: pressed.tookMs.length,
    failed: quiet.failed + pressed.failed,
    ...waits,
    ...counts,
  };
}

const PACE_MS = 20;

/** One publish after the other, 50 a second at most, each with the time it took. */
async function publishFor({ target, stream }: Pressing, forMs: number) {
  const tookMs: number[] = [];
  let failed = 0;
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const began = performance.now();
    const answer = await fetch(`${target.baseUrl}/streams/${stream}/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${target.apiKey}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ key: "k", data: began }),
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status !== 201) failed++;
    tookMs.push(performance.now() - began);
    await sleep(Math.max(0, PACE_MS - (performance.now() - began)));
  }
  return { tookMs, failed };
}

/** Long polls that are waited for, one after the other by each client. */
function pollPatiently({ target, idleStream, press }: Pressing) {
  let stopped = false;
  let waited = 0;
  let waitFailed = 0;
  const waitSeconds = Math.min(20, Math.ceil(press.seconds / 2));
  const url = `${target.baseUrl}/streams/${idleStream}/subscriptions/waiting/poll`;
  const headers = { authorization: `Bearer ${target.apiKey}` };
  const poll = async () => {
    while (!stopped) {
      const page = await fetch(`${url}?waitSeconds=${waitSeconds}`, { headers })
        .then((answer) => answer.json())
        .catch(() => undefined);
      waited++;
      if ((page as { caughtUp?: boolean } | undefined)?.caughtUp !== true) waitFailed++;
    }
  };
  const running = Array.from({ length: press.patient }, poll);
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(running);
      return { waited, waitFailed };
    },
  };
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
