import { chart, table, whole } from "./markdown.ts";
import type { Results } from "./results.ts";

/** The rates of the local stack. */
export function publish(of: Results["publish"]): string | undefined {
  if (of === undefined) return undefined;
  const plain = of.cases.filter(({ idempotent }) => !idempotent);
  const keyedRate = (one: (typeof plain)[number]): string => {
    const keyed = of.cases.find(
      ({ place, n, producers, idempotent }) =>
        idempotent && place === one.place && n === one.n && producers === one.producers,
    );
    return keyed === undefined ? "" : whole(keyed.eventsPerSecond);
  };
  const onDisk = plain.filter(({ place }) => place === "disk");
  return `## Publishing

The local stack, one stream with one partition. Each producer sends its next request when its last
one is answered. The load of the machine was ${of.loadAtStart} before the run.

${table(
  ["", "events/s", "p50", "p99", "puts per request", "events/s with an Idempotency-Key"],
  plain.map((one) => [
    `${one.place}, ${one.producers} x ${one.n}`,
    whole(one.eventsPerSecond),
    `${one.latencyMs.p50} ms`,
    `${one.latencyMs.p99} ms`,
    String(one.putsPerRequest),
    keyedRate(one),
  ]),
)}

"64 x 10" are 64 producers whose requests have 10 events. An Idempotency-Key is a row of its own.

${chart(
  "Events a second, on disk",
  onDisk.map((one) => [`${one.producers} x ${one.n}`, one.eventsPerSecond] as const),
)}`;
}

export function deliver(of: Results["deliver"]): string | undefined {
  if (of === undefined) return undefined;
  return `## Delivery

One subscription reads ${whole(of.events)} events on disk and commits each page:

${table(
  ["events of a page", "events/s"],
  of.pages.map(({ limit, eventsPerSecond }) => [whole(limit), whole(eventsPerSecond)]),
)}

Subscriptions that wait with long polls, and ${of.singles} events that are published one by one. The
time is that from the call of the SDK's \`publish\` until a subscriber's loop has the event. The load
of the machine was ${of.loadAtStart} before the run.

${table(
  ["subscribers", "p50", "p99", "missing"],
  of.fanOut.map(({ subscribers, latencyMs: { p50, p99 }, missing }) => [
    String(subscribers),
    `${p50} ms`,
    `${p99} ms`,
    String(missing),
  ]),
)}`;
}
