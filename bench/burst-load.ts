/**
 * Publishes single events one after another, then a burst in batches, then single events again
 * until the burst is compacted. It prints the rates, and how long the backlog lasted.
 *
 * node burst-load.ts <url> <api key> <stream> <events> <keys> <batch> <seconds before> <after>
 */
import { orderEvents } from "../test/support/order-events.ts";
import { openPublisher } from "./http-publish.ts";
import { waitForStart } from "./run-child.ts";

/** The figures of one run. Rates are the events per second of the single publisher. */
export type BurstFigures = {
  readonly before: number;
  readonly burstSeconds: number;
  readonly during: number;
  /**
   * The time from the end of the burst until the lag was first 0. Null if the run ended earlier.
   */
  readonly backlogSeconds: number | null;
  readonly lagAtMost: number;
  readonly lagAtEnd: number;
};

const [url = "", apiKey = "", stream = "", ...rest] = process.argv.slice(2);
const [events = 0, keys = 0, batch = 0, beforeSeconds = 0, afterSeconds = 0] = rest.map(Number);
const LOOK_EVERY_MS = 500;
const WARM_UP_MS = 2_000;

const data = orderEvents(1_000);
const eventOf = (key: number, n: number) => ({ ...data[n % data.length], key: `order-${key}` });

await waitForStart();
const publisher = openPublisher(url, apiKey, stream);
let sent = 0;
const publishSingly = async (until: () => boolean): Promise<number> => {
  const began = performance.now();
  let published = 0;
  for (; !until(); published++) {
    sent++;
    await publisher.publish(JSON.stringify(eventOf(sent % 100, sent)));
  }
  return Math.round((published / (performance.now() - began)) * 100_000) / 100;
};
const inSeconds = (seconds: number) => {
  const end = performance.now() + seconds * 1_000;
  return () => performance.now() >= end;
};

await publishSingly(inSeconds(WARM_UP_MS / 1_000));
const before = await publishSingly(inSeconds(beforeSeconds));

const burstFrom = performance.now();
for (let at = 0; at < events; at += batch) {
  // Each round of `keys` events contains every key once, in scrambled order.
  const some = Array.from({ length: batch }, (_, n) => eventOf(((at + n) * 7_919) % keys, at + n));
  await publisher.publish(JSON.stringify({ events: some }));
}
const burstEnd = performance.now();

let lag = { now: events, most: 0 };
let goneAt: number | undefined;
const look = setInterval(async () => {
  const headers = { authorization: `Bearer ${apiKey}` };
  const answer = await fetch(`${url}/streams/${stream}`, { headers }).catch(() => undefined);
  if (answer?.ok !== true) return;
  const { watermarkLag } = (await answer.json()) as { watermarkLag: { events: number } };
  lag = { now: watermarkLag.events, most: Math.max(lag.most, watermarkLag.events) };
  // The lag is never exactly 0, because the single publisher is always a few events ahead.
  if (watermarkLag.events < CAUGHT_UP) goneAt ??= performance.now();
}, LOOK_EVERY_MS);
const CAUGHT_UP = 500;
const over = inSeconds(afterSeconds);
const during = await publishSingly(() => goneAt !== undefined || over());
clearInterval(look);
publisher.close();
const figures: BurstFigures = {
  before,
  during,
  burstSeconds: Math.round((burstEnd - burstFrom) / 100) / 10,
  backlogSeconds: goneAt === undefined ? null : Math.round((goneAt - burstEnd) / 100) / 10,
  lagAtMost: lag.most,
  lagAtEnd: lag.now,
};
console.log(JSON.stringify(figures));
