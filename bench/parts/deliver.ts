import { EventLedger } from "../../packages/sdk/src/index.ts";
import { orderEvents } from "../../test/support/order-events.ts";
import { type Latency, latencyOf } from "../latency.ts";
import { startSeparateStack } from "../separate-stack.ts";

export type DeliverSizes = {
  /** The events that are read, and the numbers of events of a page. */
  readonly events: number;
  readonly pages: readonly number[];
  /** How many events are published one by one for the latencies, and the pause after each. */
  readonly singles: number;
  readonly pauseMs: number;
  readonly subscribers: readonly number[];
};

export type Delivered = {
  /** One subscription that commits each page. */
  readonly pages: readonly { readonly limit: number; readonly eventsPerSecond: number }[];
  /** From the call of `publish` until the loop of a subscriber has the event. */
  readonly fanOut: readonly {
    readonly subscribers: number;
    readonly latencyMs: Latency;
    readonly deliveries: number;
    readonly missing: number;
  }[];
};

type Order = { readonly sentAt: number };

/**
 * Reads a log on disk by one subscription, and publishes single events to any number of
 * subscriptions that wait for them with long polls. Publisher and subscribers use the SDK and share
 * one process, so that they have one clock.
 */
export async function measureDelivery(
  { events, pages, singles, pauseMs, subscribers }: DeliverSizes,
  say: (line: string) => void,
): Promise<Delivered> {
  const stack = await startSeparateStack("disk");
  const ledger = new EventLedger({ url: stack.url, apiKey: stack.apiKey });
  try {
    await stack.createStream("full");
    const full = ledger.stream("full");
    const some = orderEvents(1_000);
    for (let at = 0; at < events; at += some.length) {
      await full.publish(some.slice(0, Math.min(some.length, events - at)));
    }
    const read: { limit: number; eventsPerSecond: number }[] = [];
    for (const limit of pages) {
      const subscription = full.subscription(`pages-${limit}`, { start: "earliest" });
      const began = performance.now();
      let count = 0;
      for await (const page of subscription.pages({ limit })) {
        count += page.events.length;
        if (count >= events) break;
      }
      if (count !== events) throw new Error(`${count} events of ${events}`);
      const eventsPerSecond = Math.round(count / ((performance.now() - began) / 1_000));
      read.push({ limit, eventsPerSecond });
      say(`pages of ${limit}: ${eventsPerSecond} events/s`);
    }
    const fanOut: Delivered["fanOut"][number][] = [];
    for (const count of subscribers) {
      const name = `fan-out-${count}`;
      await stack.createStream(name);
      const measured = await fanOutTo(ledger, name, count, singles, pauseMs);
      fanOut.push(measured);
      const { p50, p99 } = measured.latencyMs;
      say(`${count} subscribers: p50 ${p50} ms, p99 ${p99} ms`);
    }
    return { pages: read, fanOut };
  } finally {
    await stack.close();
  }
}

async function fanOutTo(
  ledger: EventLedger,
  name: string,
  subscribers: number,
  singles: number,
  pauseMs: number,
) {
  const stream = ledger.stream<Order>(name);
  const latencies: number[] = [];
  const ending = new AbortController();
  const { signal } = ending;
  const expected = subscribers * (singles + 1);
  const all = Promise.withResolvers<void>();
  let received = 0;
  const follow = async (own: number): Promise<void> => {
    const subscription = stream.subscription(`s${own}`, { start: "earliest" });
    for await (const { events } of subscription.pages({ signal })) {
      for (const { data } of events) {
        // The first event only shows that all subscribers follow, so its latency does not count.
        if (data !== null && data.sentAt > 0) latencies.push(performance.now() - data.sentAt);
        received++;
      }
      if (received === subscribers) ready.resolve();
      if (received === expected) all.resolve();
    }
  };
  const ready = Promise.withResolvers<void>();
  await stream.publish({ key: "first", data: { sentAt: 0 } });
  const following = Array.from({ length: subscribers }, (_, own) =>
    follow(own).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  );
  await Promise.race([ready.promise, Promise.all(following)]);
  for (let n = 0; n < singles; n++) {
    await pause(pauseMs);
    await stream.publish({ key: `order-${n}`, data: { sentAt: performance.now() } });
  }
  await Promise.race([all.promise, pause(LIMIT_MS)]);
  ending.abort();
  await Promise.all(following);
  const missing = expected - received;
  return { subscribers, latencyMs: latencyOf(latencies), deliveries: received, missing };
}

const LIMIT_MS = 60_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
