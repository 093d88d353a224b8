import type { Cost, Counted, Operation } from "../../bench/parts/counted.ts";
import { PRICES } from "../cost/prices.ts";
import { table, whole } from "./markdown.ts";
import type { Results } from "./results.ts";

const OPERATIONS: readonly (readonly [Operation, string])[] = [
  ["publish", "publish of 1"],
  ["publishHundred", "publish of 100"],
  ["poll", "page of 100"],
  ["idlePoll", "idle poll"],
  ["commit", "commit"],
  ["lookup", "event by sequence"],
];

/** What operations cost while a log grows. */
export function growth(of: Results["counted"]): string | undefined {
  if (of === undefined) return undefined;
  return `## A log that grows

Requests to the table, read units and write units of each operation, counted on the simulated table.
One partition, filled by batches of 1,000 and compacted:

${table(
  ["events", ...OPERATIONS.map(([, title]) => title)],
  of.growth.map((row) => [
    whole(row.events),
    ...OPERATIONS.map(([name]) => {
      const { requests, read, write } = row[name];
      return `${requests}, ${read} r, ${write} w`;
    }),
  ]),
)}

An event by its sequence costs the batch that it is in, here of 1,000 events.`;
}

/** The prices of the operations, at the largest size. */
export function costs(of: Results["counted"]): string | undefined {
  const largest = of?.growth.at(-1);
  if (of === undefined || largest === undefined) return undefined;
  const dollars = ({ read, write }: Cost) =>
    (read * PRICES.readMillion + write * PRICES.writeMillion).toFixed(2);
  return `## What an operation costs

The capacity units of a million operations, at the list prices of ${PRICES.date} in us-east-1.
[Cost](cost.md) adds Lambda, the HTTP API and all else.

${table(
  ["", "dollars per million"],
  OPERATIONS.map(([name, title]) => [title, dollars(largest[name])]),
)}`;
}

export function bootstraps(
  of: Results["counted"],
  million: Results["million"],
): string | undefined {
  if (of === undefined) return undefined;
  const rows: Counted["bootstraps"] = [
    ...of.bootstraps,
    ...(million === undefined ? [] : [million]),
  ];
  return `## Bootstrap

A new subscription reads the current state of each key, in pages of 1,000 with a commit for each.
Read units, counted on the simulated table:

${table(
  ["keys", "events of the log", "read units", "polls", "bytes read per byte of state"],
  rows.map(({ keys, events, readUnits, polls, ratio }) => [
    whole(keys),
    whole(events),
    whole(readUnits),
    whole(polls),
    String(ratio),
  ]),
)}`;
}

export function contended(of: Results["counted"]): string | undefined {
  if (of === undefined) return undefined;
  return `## Writers in the shape of Lambda

Each process serves one request at a time and shares nothing with the others but the table, which is
5 ms away (16 ms at the 99th percentile). All publish to one partition. On a virtual clock:

${table(
  ["", "appends/s", "puts per append", "p50", "p99"],
  of.contention.map(({ writers, arrivals, perSecond, putsPerAppend, p50, p99 }) => [
    writers === null ? `${arrivals} publishes a second` : `${writers} writers without a pause`,
    whole(perSecond),
    String(putsPerAppend),
    `${whole(p50)} ms`,
    `${whole(p99)} ms`,
  ]),
)}`;
}
