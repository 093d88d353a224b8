import type { Missing, PeerFigures, PeerRound } from "../../bench/parts/peers.ts";
import { table, whole } from "./markdown.ts";
import type { Results } from "./results.ts";

const LOADS = [
  { load: "many", title: "64 producers of single events" },
  { load: "one", title: "one producer of single events" },
  { load: "batches", title: "8 producers of 100 events" },
] as const satisfies readonly { load: keyof PeerRound; title: string }[];

/** EventLedger beside other servers. */
export function peers(of: Results["peers"]): string | undefined {
  const [own, ...others] = of?.measured ?? [];
  if (of === undefined || own === undefined) return undefined;
  return `## Beside other servers

Events a second, over HTTP with the same client, on the same disk, one server after the other. Each
cell has the rounds in order. From the second round on, a load follows the batches of the round
before. The load of the machine was ${of.loadAtStart} before the run.

${table(
  ["", "when a request is answered", ...LOADS.map(({ title }) => title)],
  of.measured.map((peer) => [
    peer.name,
    peer.durability,
    ...LOADS.map(({ load }) => rates(peer, load).map(whole).join(" / ")),
  ]),
)}

"Counter, then put" and "counter and put in a transaction" are the designs that come to mind first
([designs.ts](../bench/peers/designs.ts)), on the same store. NATS, Redis, Kafka and the two designs
have a small HTTP server in front. It parses the events and checks no more.
${leftOut(of.missing)}
${table(
  ["what was to be shown", "is it so"],
  of.verdicts.map(({ said, holds }) => [said, holds ? "yes" : "**no**"]),
)}

**Where a peer is faster**, by the middle one of its rounds:

${table(
  ["", "faster than EventLedger"],
  LOADS.map(({ load, title }) => [title, faster(own, others, load)]),
)}

${WHY}`;
}

const rates = ({ rounds }: PeerFigures, load: keyof PeerRound): number[] =>
  rounds.map((round) => round[load].eventsPerSecond);

function faster(own: PeerFigures, others: readonly PeerFigures[], load: keyof PeerRound): string {
  const ownRate = median(rates(own, load));
  const list = others
    .map((peer) => ({ name: peer.name, times: median(rates(peer, load)) / ownRate }))
    .filter(({ times }) => times > 1)
    .toSorted((a, b) => b.times - a.times)
    .map(({ name, times }) => `${name} (${times.toFixed(1)} times)`);
  return list.length === 0 ? "none" : list.join(", ");
}

const leftOut = (missing: readonly Missing[]): string =>
  missing.length === 0
    ? ""
    : `\n${table(
        ["left out", "why"],
        missing.map(({ name, why }) => [name, why]),
      )}\n`;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const WHY = `Redis, NATS, Kafka and Durable Streams append bytes to a file of their own and sync it, and do not
look into an event. EventLedger checks each event, packs it, and sends it over HTTP to a database,
which parses the request and writes a row to an index and a log before it answers. That is the price
of a log that needs no server of its own on AWS, where DynamoDB does this work on other machines. It
counts most for a single producer, whose request waits for all of these steps in turn, and for
batches, where the time goes into checking and packing. Group commit makes up for it where many
single events come at once. Kinesalite does not sync its writes, so it loses answered events in a
power cut.`;
