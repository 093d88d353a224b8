import { bootstraps, contended, costs, growth } from "./counted.ts";
import { deliver, publish } from "./local.ts";
import { many } from "./many.ts";
import { chart, table, whole } from "./markdown.ts";
import { peers } from "./peers.ts";
import type { Rates, Results } from "./results.ts";

/** Returns docs/performance.md, from the results of the benchmarks. */
export function performancePage(results: Results): string {
  const sections = [
    head(results),
    start(results.start),
    publish(results.publish),
    deliver(results.deliver),
    peers(results.peers),
    groupCommit(results["group-commit"]),
    contention(results.contention),
    burst(results.burst),
    routerCpu(results["router-cpu"]),
    routerCompare(results["router-compare"]),
    compaction(results.compaction),
    idlePolls(results["idle-polls"]),
    archive(results.archive),
    sdk(results.sdk),
    growth(results.counted),
    costs(results.counted),
    bootstraps(results.counted, results.million),
    many(results.many),
    contended(results.counted),
    COUNTED,
  ];
  return `${sections.filter((section) => section !== undefined).join("\n\n")}\n`;
}

const head = ({ peers, burst: { machine, versions } }: Results): string => `# Performance

Generated from \`bench/results\` by \`npm run performance -- --write\`; the
[benchmarks](../bench/README.md) say how each figure is measured. Server, load and store share
${machine.cores} cores (${machine.cpu}, Node.js ${versions.node}), so figures compare variants of
one run with each other. They do not say what a deployed stage does, and figures of different runs
do not compare.${peers === undefined ? NO_PEERS : ""}`;

function start(of: Results["start"]): string | undefined {
  if (of === undefined) return undefined;
  return `## The first second

\`npm start\` in a folder where it has run before: ${of.seconds.toFixed(2)} s from the call of the command
until the stack is ready, with data on disk, in the middle one of ${of.runs} runs. The slowest took
${of.slowest.toFixed(2)} s. The load of the machine was ${of.loadAtStart} before the run.`;
}

const NO_PEERS = `

**Peers.** No run with other servers is recorded yet, so none is compared here. EventLedger sends a
request to a database for each append. A broker that appends to a file of its own does less work for
a single event; group commit and batches make up for it only where several events can go together.`;

function groupCommit({ publishers, local, distant, distantStoreMs }: Results["group-commit"]) {
  const rounds = [
    ["store on this machine", local] as const,
    [`store ${distantStoreMs} ms away`, distant] as const,
  ].flatMap(([place, of]) =>
    of.map((round, n) => ({ place: `${place}, round ${n + 1}`, ...round })),
  );
  return `## Group commit

${publishers} publishers of single events on one partition, in publishes a second:

${table(
  ["", "off", "on", "times", "p50 on", "p99 on", "puts per publish"],
  rounds.map(({ place, off, on, ratio }) => [
    place,
    whole(off.perSecond),
    whole(on.perSecond),
    String(ratio),
    `${on.latencyMs.p50} ms`,
    `${on.latencyMs.p99} ms`,
    String(on.putsPerPublish),
  ]),
)}

${chart(
  "Publishes a second, group commit on",
  rounds.map(({ on }, n) => [`run ${n + 1}`, on.perSecond] as const),
)}`;
}

const contention = ({ processes, rounds }: Results["contention"]): string => `## Contention

${processes} processes that share nothing but the table, on one partition:

${table(
  ["appends a second", "puts per append", "p50", "p99", "p99 / p50"],
  rounds.map(({ appendsPerSecond, putsPerAppend, latencyMs: { p50, p99 }, p99ToP50 }) => [
    whole(appendsPerSecond),
    String(putsPerAppend),
    `${p50} ms`,
    `${p99} ms`,
    String(p99ToP50),
  ]),
)}`;

const burst = (of: Results["burst"]): string => `## After a burst

A publisher of single events on the local stack, on disk, before a burst and while it is compacted:
${whole(of.events)} events over ${whole(of.keys)} keys. The load of the machine was
${of.loadBefore} on ${of.machine.cores} cores before the run. On a busy machine the backlog lasts
longer.

${table(
  ["events/s before", "events/s during", "kept", "backlog gone after", "rows put"],
  [
    [
      String(of.before),
      String(of.during),
      `${whole(of.keptShare * 100)} %`,
      of.backlogSeconds === null ? "not within 120 s" : `${of.backlogSeconds} s`,
      of.rowsWritten === null ? "not counted" : whole(of.rowsWritten),
    ],
  ],
)}`;

const routerCpu = ({ load, cases }: Results["router-cpu"]): string => `## CPU time of the router

For each request, and for each event of it. The load of the machine was ${load}; other work on the
same cores makes each request take more CPU time, so these are upper bounds.

${table(
  ["request", "µs", "µs per event"],
  cases.map(({ kind, microseconds, perEvent }) => [
    KINDS[kind] ?? kind,
    whole(microseconds),
    String(perEvent),
  ]),
)}`;

const routerCompare = ({ load, rounds, cases }: Results["router-compare"]): string => `### Before

The same requests inside one process, without a network, with this version and with the one before
[decision 0056](decisions/0056-a-short-way-to-the-table.md). Both ran in turns, and the best of
${rounds} rounds counts. The load of the machine was ${load}, so the factor says more than the times.

${table(
  ["request", "µs before", "µs now", "times less"],
  cases.map(({ kind, before, now, times }) => [
    KINDS[kind] ?? kind,
    whole(before),
    whole(now),
    String(times),
  ]),
)}`;

const KINDS: Readonly<Record<string, string>> = {
  "publish-1": "publish of one event",
  "publish-100": "publish of 100 events",
  "page-100": "page of 100 events",
  "page-100-of-1": "page of 100 events from 100 batches",
};

const compaction = ({ events, cases }: Results["compaction"]): string => `## Compaction

One compactor and one partition, ${whole(events)} events:

${table(
  ["keys", "events/s", "rows/s", "CPU per row", "write units per event"],
  cases.map((one) => [
    whole(one.keys),
    whole(one.eventsPerSecond),
    whole(one.rowsPerSecond),
    `${one.cpuMsPerRow} ms`,
    String(one.writeUnitsPerEvent),
  ]),
)}`;

const sdk = (of: Results["sdk"]): string => `## The SDK

${of.callers} callers in one process publish single events, each the next one when its last one is
durable, and a view in memory copies ${whole(of.keys)} keys. The bare figures are those of \`fetch\`
in the same process and run. The load of the machine was ${of.load} before the run, so compare them
only with each other.

${table(
  ["", "a second", "CPU per 1,000"],
  [
    rates("events by bare requests of one event", of.bareSingle),
    rates(`events by bare requests of ${of.callers} events, one at a time`, of.bareBatches),
    rates("events by `publisher()`", of.publisher),
    rates("keys by a bare list that is parsed and forgotten", of.bareList),
    rates("keys by `view()`", of.view),
  ],
)}

The view holds ${whole(of.keys)} keys in ${of.view.megabytes} MB of heap.`;

const rates = (what: string, { perSecond, cpuMsPerThousand }: Rates): string[] => [
  what,
  whole(perSecond),
  `${cpuMsPerThousand} ms`,
];

const idlePolls = ({ polls, ratio }: Results["idle-polls"]): string => `## Idle long polls

While a server holds ${polls} idle long polls, the p99 of a publish to another stream is
${ratio.toFixed(2)} times what it is without them.`;

const archive = (of: Results["archive"]): string => `## The archive

${whole(of.events)} events of ${of.bytesPerEvent} bytes were published, archived in
${of.archive.segments} segments (${whole(of.archive.bytes / 1e6)} MB), and read back in pages of 1,000 over
HTTP after their rows had left the table. The pages had the same bytes as before, by SHA-256, and so
had \`zcat\` of the segments. A subscription that had committed event ${of.subscription.committed} went on at
${of.subscription.from} after events 1 to ${whole(of.events * 0.9)} had left the table.

${table(
  [
    "read from",
    "requests to the table",
    "to the bucket",
    "read units",
    "CPU of the router",
    "events/s",
  ],
  [
    ["the table", of.hot] as const,
    ["pages that cross", of.crossing] as const,
    ["the archive", of.cold] as const,
    ["by the subscription, with commits", of.subscription] as const,
  ].map(([from, reading]) => [
    from,
    String(reading.requestsPerThousand.table),
    String(reading.requestsPerThousand.bucket),
    String(reading.readUnitsPerThousand),
    `${reading.cpuMsPerThousand} ms`,
    whole(reading.eventsPerSecond),
  ]),
)}

Requests, units and CPU time are per 1,000 events. Archiving took ${whole(of.archive.eventsPerSecond)} events a
second, and verifying ${whole(of.verify.eventsPerSecond)}. The load of the machine was ${of.loadBefore} before the run,
which slows all rates. The router, with \`${of.routerOptions.join(" ")}\`,
never had more than ${of.rssMiB} MiB of memory.`;

const COUNTED = `## Counted

These do not depend on the machine; the tests count requests and capacity units.

| | counted | test |
| --- | --- | --- |
| a page of 100 events from batches of 1,000 | one batch and up to 3 read units; two where the page ends with the batch | \`test/integration/page-cost.test.ts\` |
| 20 warm processes that publish in turns to one partition | at most 1.2 puts and 1.2 reads per append | \`test/simulation/models/stale-ends.test.ts\` |
| 4, 16 or 64 processes that publish all the time to one partition, one request each, 5 ms from the table | at least 150 appends a second together, at most 2 puts each, no p99 of a process over 10 times the p50 | \`test/simulation/models/tickets.test.ts\` |
| 100 and 150 publishes a second to one partition, one request in a process | p99 of at most 300 and 600 ms | \`test/simulation/models/tickets.test.ts\` |
| compaction of a backlog | one row for each key that changed | \`test/integration/compaction-yields.test.ts\` |
| an idle poll that has looked at the log and remembers its position | one read unit | \`test/integration/capacity.test.ts\` |
| idle polls over five minutes, with all that is read again | 1.03 read units a poll at 1 s, 1.22 at 10 s ([decision 0004](decisions/0004-idle-polls.md)) | \`test/integration/idle-pace.test.ts\` |`;
