import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { digest, type Followed } from "./followed.ts";
import { type Door, request } from "./request.ts";
import { type DemoEvent, loadWebhooks } from "./webhooks.ts";

export type DemoResult = {
  readonly stream: string;
  readonly published: number;
  readonly requests: number;
  readonly keys: number;
  readonly publishMs: number;
  /** The number of events that the first follower had processed when it was killed. */
  readonly beforeKill: number;
  /**
   * The number of events that the second follower received, and how many of them the first had also
   * processed.
   */
  readonly afterKill: number;
  readonly again: number;
  readonly received: number;
  readonly missing: number;
  /** Whether each follower received the events in the order of publishing, with equal contents. */
  readonly inOrder: boolean;
  readonly equal: boolean;
  readonly ok: boolean;
};

export const STREAM = "code-host";

/**
 * Publishes the webhooks while a separate process follows them. It kills that process half-way and
 * starts another one on the same subscription. It can be repeated on the same server: each run adds
 * its events to the stream and follows only those.
 */
export async function runDemo(door: Door, onStep: (line: string) => void): Promise<DemoResult> {
  const events = loadWebhooks();
  await request(door, "POST", "/streams", { name: STREAM });
  const name = `demo-${Date.now()}`;
  const subscription = `/streams/${STREAM}/subscriptions/${name}`;
  await request(door, "POST", `/streams/${STREAM}/subscriptions`, { name, start: "latest" });

  onStep(`Publishing ${events.length} events, and following them in another process`);
  const half = Math.ceil(events.length / 2);
  const [publishing, first] = await Promise.all([
    publish(door, events),
    followUntil(door, subscription, (followed) => followed.length >= half),
  ]);
  onStep(`The follower was killed after ${first.length} events; starting another one`);
  const firstOf = new Set(first.map(({ sequence }) => sequence));
  const missing = new Set(publishing.sequences.filter((sequence) => !firstOf.has(sequence)));
  const second = await followUntil(door, subscription, (_, { sequence }) => {
    missing.delete(sequence);
    return missing.size === 0;
  });
  await request(door, "DELETE", subscription);

  const received = new Set([...first, ...second].map(({ sequence }) => sequence));
  const missed = publishing.sequences.filter((sequence) => !received.has(sequence)).length;
  const inOrder = [first, second].every(isRising);
  const equal = areEqual([...first, ...second], publishing.sequences, events);
  return {
    stream: STREAM,
    published: publishing.sequences.length,
    requests: publishing.requests,
    keys: new Set(events.map(({ key }) => key)).size,
    publishMs: publishing.tookMs,
    beforeKill: first.length,
    afterKill: second.length,
    again: second.filter(({ sequence }) => firstOf.has(sequence)).length,
    received: received.size,
    missing: missed,
    inOrder,
    equal,
    ok: missed === 0 && received.size === events.length && inOrder && equal,
  };
}

const BATCH_EVENTS = 25;

type Receipt = { readonly events: readonly { id: string; sequence: number }[] };

async function publish(door: Door, events: readonly DemoEvent[]) {
  const began = performance.now();
  const sequences: number[] = [];
  let requests = 0;
  for (let from = 0; from < events.length; from += BATCH_EVENTS) {
    const body = { events: events.slice(from, from + BATCH_EVENTS) };
    const receipt = await request<Receipt>(door, "POST", `/streams/${STREAM}/events`, body);
    sequences.push(...receipt.events.map(({ sequence }) => sequence));
    requests++;
  }
  return { sequences, requests, tookMs: Math.round(performance.now() - began) };
}

/**
 * Runs a follower until `isEnough` accepts what it has printed so far and its latest line. Then
 * kills it as abruptly as a crash would. Returns everything that it had processed by then.
 */
async function followUntil(
  { url, apiKey }: Door,
  subscription: string,
  isEnough: (followed: readonly Followed[], latest: Followed) => boolean,
): Promise<Followed[]> {
  const program = fileURLToPath(new URL("follower.ts", import.meta.url));
  const child = spawn(process.execPath, [program, subscription], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, EVENTLEDGER_URL: url, EVENTLEDGER_API_KEY: apiKey },
  });
  const killChild = () => child.kill("SIGKILL");
  process.once("exit", killChild);
  const ended = once(child, "close");
  const followed: Followed[] = [];
  let enough = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.endsWith("}")) continue; // The kill has cut off this line.
    const latest: Followed = JSON.parse(line);
    followed.push(latest);
    if (enough) continue;
    enough = isEnough(followed, latest);
    if (enough) killChild();
  }
  await ended;
  process.off("exit", killChild);
  if (!enough) throw new Error("The follower ended by itself.");
  return followed;
}

const isRising = (followed: readonly Followed[]): boolean =>
  followed.every(({ sequence }, index) => {
    const previous = followed[index - 1];
    return previous === undefined || previous.sequence < sequence;
  });

function areEqual(
  followed: readonly Followed[],
  sequences: readonly number[],
  events: readonly DemoEvent[],
): boolean {
  const sent = new Map(sequences.map((sequence, index) => [sequence, events[index]]));
  return followed.every(({ sequence, key, type, digest: received }) => {
    const event = sent.get(sequence);
    // Other clients may publish to the stream as well. Their events are ignored.
    if (event === undefined) return true;
    return event.key === key && event.type === type && digest(event.data) === received;
  });
}
