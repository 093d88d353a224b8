import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Target } from "../contract/wire.ts";

/** How much load a server gets, and for how long. */
export type Press = {
  readonly seconds: number;
  /** The number of connections on which nothing is ever sent. */
  readonly idle: number;
  /** The number of connections on which a request arrives byte by byte, in its headers or body. */
  readonly slow: number;
  /** The number of long polls per second whose client hangs up before the answer. */
  readonly earlyCloses: number;
  /** The number of concurrent long polls whose client waits for the answer. */
  readonly patient: number;
};

/** The streams of the clients: one with publishes and one without. */
export type Pressing = {
  readonly target: Target;
  readonly stream: string;
  /** A stream without publishes, with a subscription named `waiting`. */
  readonly idleStream: string;
  readonly press: Press;
};

export type HostileCounts = {
  opened: number;
  /** The number of idle and slow connections that the server closed. */
  closedByServer: number;
  /** The number of long polls that their client gave up. */
  hungUp: number;
  /** The number of long polls that were answered or closed before their client gave up. */
  cutOff: number;
};

export type Pressed = Readonly<HostileCounts> & {
  readonly quietP99Ms: number;
  readonly pressedP99Ms: number;
  readonly published: number;
  readonly failed: number;
  /**
   * The number of long polls whose client waited, and how many of them were not answered with a
   * page.
   */
  readonly waited: number;
  readonly waitFailed: number;
};

const QUIET_MS_MIN = 1_000;

/**
 * Publishes at a steady pace, first alone and then together with hostile clients. They keep as many
 * connections open as the server allows.
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
  // The waiting polls are stopped while the hostile clients are still active.
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

/** Publishes one event after the other, at most 50 a second. Returns the time of each. */
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

/** Runs long polls whose clients wait for the answers, one after the other for each client. */
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
