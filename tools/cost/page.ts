import compaction from "../../bench/results/compaction.json" with { type: "json" };
import { SEGMENT_RAW_BYTES } from "../../packages/core/src/archive/segment-plan.ts";
import {
  ALARMS,
  estimate,
  estimateCounting,
  estimateEventStream,
  estimateHeld,
  estimateIdle,
  estimatePush,
  estimateSubscriber,
  type Item,
  LOOKS_AGAIN,
  METRICS_SENT,
  totalBeyondFree,
  totalOf,
} from "./estimate.ts";
import type { Measured } from "./measure.ts";
import { PRICES, SOURCES } from "./prices.ts";
import { ASSUMED, BATCHES, type Ingress, SCENARIOS } from "./scenarios.ts";
import type { Units } from "./units.ts";

/** The first one is the default. */
const DOORS: readonly Ingress[] = ["HTTP API", "Function URL"];

/** Returns the whole of docs/cost.md. */
export const costPage = (measured: Measured): string => `# What it costs

Made by \`npm run cost -- --write\`; do not edit. Dollars a month, from the capacity units that a test
measures on DynamoDB Local and AWS's list prices of ${PRICES.date} for ${PRICES.region}, without free allowances.

Every publish has an \`Idempotency-Key\`, as concepts.md advises, and the HTTP API is the default door:

${summary(measured, totalOf)}

Without Idempotency-Keys:

${summary(measured, totalOf, { keyed: false })}

With keys, and beyond the free allowances of an account that uses nothing else (a million Lambda calls and
400,000 GB-seconds, 25 GB of table, 5 GB of logs, ten metrics, ten alarms, 100 GB out):

${summary(measured, totalBeyondFree)}

${ASSUMED.subscribersPerStream} subscribers a stream, on ${SCENARIOS.map(({ name, streams }) => `${streams} stream${streams > 1 ? "s" : ""} (${name})`).join(", ")};
n is the number of events in a publish request. A further subscriber that polls once a second and finds
nothing costs ${money(estimateSubscriber(measured, "HTTP API"))} (${money(estimateSubscriber(measured, "Function URL"))} with a Function URL). One that works with others, with
\`consumer=\`, costs ${money(estimateSubscriber(measured, "HTTP API", measured.workerPoll))} (${money(estimateSubscriber(measured, "Function URL", measured.workerPoll))}) for each worker, as the only one of one
partition: its polls also look at who else is there, and now and then say that it is.

An idle stage costs ${money(totalOf(estimateIdle(measured)))}: ${estimateIdle(measured)
  .map(({ name, dollars }) => `${name.toLowerCase()} ${money(dollars)}`)
  .join(", ")}. What it stores comes on top.

## Item by item

${DOORS.map((door) => `### ${door}\n\n${itemised(door, measured)}`).join("\n\n")}

## What moves it

- **Batches.** An event published alone takes a write unit, ten in one request
  ${measured.batches[10].publish.write}. Publishing also pays for a request each time.
- **Idempotency-Keys** take one write unit more for each request: ${measured.batches[1].publishKeyed.write} for an event alone,
  ${measured.batches[10].publishKeyed.write} for ten. A request that needs several items (several partitions, or more than
  300 KiB) is a transaction, which takes twice the units of its items.
- **Conditional publishes** (\`If-Match\`, \`expectedSequence\`) write nothing more. A process remembers for a
  minute what it has read and written; what it does not know it reads: ${measured.batches[1].expectedReads} read units for one key,
  ${measured.batches[10].expectedReads} for ten, and more where much is not compacted yet.
- **Compaction** writes each key once per run, so an event each where keys do not repeat within
  ${ASSUMED.compactorWindowSeconds} seconds: that is what is counted here. A stream with
  \`compaction: "none"\` saves it.
- **The list of changes**, which makes a [difference](concepts.md#after-a-long-absence) cheap, takes
  0.011 to 0.046 write units for each event, whatever n is
  ([figures](decisions/0082-the-list-of-changes.md)). A difference reads the states that changed, one
  read unit each up to 4 KB, and 21 to 99 bytes of the list for each of them.
- **Polling.** Poll at the pace the answers suggest (\`nextPollMs\`), not faster. With all that a process
  reads again, an idle poll takes 1.02 read units at one a second, and 1.18 at one in ten seconds
  ([why](decisions/0004-idle-polls.md)). Waiting is off
  on Lambda unless you set \`WAIT_SECONDS_MAX\` (deploy.md), and pages then say \`waitSecondsAdvised: 0\`:
  a request that is held open is billed by the time it waits, ${money(estimateHeld())} a month for a
  subscriber that always waits, against ${money(estimateSubscriber(measured, "HTTP API"))} for one that asks each second.
- **Event streams** (Function URL only) are billed by the time for which their connection is open:
  ${money(estimateEventStream(measured) / ASSUMED.hoursPerMonth, 3)} an hour, ${money(estimateEventStream(measured))} a month for one that is always open. That is ${measured.eventStreamMinute.read} read units a
  minute without events, and the rest is Lambda's time. A client that has gone is billed until its connection ends,
  ${money(estimateEventStream(measured) / ASSUMED.hoursPerMonth / 60, 4)} at most by default (\`STREAM_SECONDS_MAX\`, deploy.md).
- **Counting requests** for usage adds a row of each hour at most once a minute for each key, stream and
  process. That is ${money(estimateCounting())} a month for a key that is always in use, and nothing for one that is not.
- **The archive** keeps a GB of objects for ${money(PRICES.objectGbMonth, 3)} a month, against
  ${money(PRICES.storageGbMonth + PRICES.backupGbMonth)} in the table with its backup. A full segment, 8 MiB of lines, took ${measured.archive.segment.puts} PUT
  and ${measured.archive.segment.heads} HEAD, ${Math.round(measured.archive.segment.read)} read units and ${measured.archive.segment.write} write units, and its object had
  ${(measured.archive.segment.storedBytes / 1e6).toFixed(1)} MB. A GB of lines is ${Math.round(segmentsOfGb())} segments: ${money(segmentsOfGb() * segment(measured), 4)} once. A partition that does not fill
  one in an hour writes one an hour, ${money(HOURS_OF_MONTH * segmentRequests(measured), 4)} a month. A batch of an archived stream is removed by a
  write: a thousand events took ${measured.archive.publish.write} write units to publish and ${measured.archive.removal.write} to remove. A page
  of a thousand events took ${measured.archive.page.gets} GET and ${measured.archive.page.read} read units.
- **Pushes** (\`PUSH=on\`) add two alarms. For a batch the dispatcher takes ${measured.push.ring.read} read unit, also for a stream
  without a push. A run that delivered an event took ${units(measured.push.run1)}, one that delivered a
  hundred ${units(measured.push.run100)}, one that found nothing ${units(measured.push.idleRun)}, and
  one whose event failed ${units(measured.push.failure)}. A million deliveries of ${ASSUMED.pushMs} ms cost ${money(estimatePush(1e6, 100, measured))} in runs of a
  hundred events, and ${money(estimatePush(1e6, 1, measured))} when each event comes alone. Nothing runs while nothing is published,
  except that the sweeper rings each push once an hour: ${money(HOURS_OF_MONTH * hourlyRing(measured), 3)} a month.
- **The HTTP API** costs more per request than the function that it calls. Its throttle and its domain are
  what it is for (deploy.md).

## Measured

| | read units | write units |
| --- | ---: | ---: |
${BATCHES.map((n) => unitRows(measured, n)).join("\n")}
| poll that finds nothing | ${measured.idlePoll.read} | ${measured.idlePoll.write} |
| poll that finds events, per answer | ${measured.busyPoll.read} | ${measured.busyPoll.write} |
| and when it commits the page before | ${measured.commit.read} | ${measured.commit.write} |
| poll of a lone worker that finds nothing | ${measured.workerPoll.read} | ${measured.workerPoll.write} |
| a busy process looking again at what it remembers, a second | ${LOOKS_AGAIN.read.toFixed(2)} | ${LOOKS_AGAIN.write} |
| a minute of an event stream without events | ${measured.eventStreamMinute.read} | ${measured.eventStreamMinute.write} |
| sweeping an idle stream | ${measured.sweptStream.read} | ${measured.sweptStream.write} |

The events are orders of about 350 bytes of JSON. Stored, one takes ${measured.batches[1].storedBytesPerEvent} bytes alone and
${measured.batches[10].storedBytesPerEvent} among ten; the current state of a key takes ${measured.keyBytes} and
an Idempotency-Key ${measured.receiptBytes}; DynamoDB bills 100 more for each item. Delivered, an event takes
${measured.batches[1].answerBytesPerEvent} bytes of an answer alone and ${measured.batches[10].answerBytesPerEvent} among ten, which travel compressed. A request leaves ${measured.logLineBytes} bytes of log.

## What compaction of a partition sustains

One compactor, on the local store and a busy machine (\`bench/compaction.bench.ts\`):

| | events/s | keys/s | of a core, per key | write units per event |
| --- | ---: | ---: | ---: | ---: |
${compaction.cases.map(compactionRow).join("\n")}

A key is a write unit, once per run, and that is what it costs in time as well. A function of 1 GB has
${LAMBDA_CORES} of a core: so about ${hundreds((1_000 / perKeyMs()) * LAMBDA_CORES)} different keys a second on AWS, for all partitions of a shard of the table's
stream together; with 1,769 MB, which is a core, about ${hundreds(1_000 / perKeyMs())}. Events of keys that come again within
${ASSUMED.compactorWindowSeconds} seconds are almost free. DynamoDB itself would take more: the rows of a partition lie under 16
partition keys, each of which takes 1,000 write units a second. Its log takes 1,000 a second, 1 KB each, which
bounds publishing first where events are batched little. Publishing above this for a day ends in
\`compaction-stalled\` (operations.md): give the compactor more memory (\`infra/compactor.ts\`), or the stream
\`compaction: "none"\`.

## Assumed

What cannot be measured without AWS, or is yours to decide:

| | |
| --- | --- |
| router, 1 GB, arm64 | ${ASSUMED.publishMs} ms a publish, ${ASSUMED.idlePollMs} ms a poll that finds nothing, ${ASSUMED.busyPollMs} ms one that does, ${ASSUMED.commitMs} ms more with a commit |
| pusher, 512 MB | ${ASSUMED.pushMs} ms a delivery, ${ASSUMED.pushAtOnce} keys at the same time, ${ASSUMED.pushRunMs} ms a run besides; dispatcher ${ASSUMED.dispatchMs} ms |
| compactor, 1 GB | one run per ${ASSUMED.compactorWindowSeconds} s with events, ${ASSUMED.compactorMs} ms and ${ASSUMED.compactorMsPerEvent} ms an event; as slow as on the busy machine above it would be ${(perKeyMs() / LAMBDA_CORES).toFixed(1)} ms, ${money((perKeyMs() / LAMBDA_CORES - ASSUMED.compactorMsPerEvent) * 1_000 * ASSUMED.routerGb * PRICES.lambdaGbSecondArm, 3)} more for a million events |
| subscribers | poll every second all month, and commit what they got when they poll again, in one request, accepting gzip |
| conflicts | a publish finds that another process was faster ${ASSUMED.conflictsPerOverlap} times as often as two overlap; in the simulation, lost races and [tickets](decisions/0057-tickets.md) together write less |
| kept | events ${ASSUMED.keptDays} days (retention and 30 days), Idempotency-Keys ${ASSUMED.receiptDays}, the current state of ${SCENARIOS.map(({ keys }) => `${keys / 1e6} M`).join(" / ")} keys |
| processes | ${ASSUMED.processes} of the router at any time, for what each does again and again |
| readers | outside AWS: all answers are data transfer out, ${ASSUMED.headersBytes} bytes of headers each |
| CloudWatch | ${METRICS_SENT} metrics and ${ALARMS} alarms; a line of the access log has ${ASSUMED.accessLogBytes} bytes |

A longer retention costs storage from then on. A shorter one saves it late: a new event is stored no less
long than the one before it, so storage falls once the last event of the longer retention has gone. After a
change from a year to a day that takes a year. Who needs the storage sooner creates another stream.

Prices: ${money(PRICES.writeMillion, 3)} and ${money(PRICES.readMillion, 3)} per million write and read units, ${money(PRICES.storageGbMonth)} and ${money(PRICES.backupGbMonth)} per GB
stored and backed up, ${money(PRICES.lambdaMillion)} per million Lambda calls, ${money(PRICES.queueMillion)} per million queue requests and $${PRICES.lambdaGbSecondArm} per GB-second, ${money(PRICES.httpApiMillion)} per
million HTTP API requests, ${money(PRICES.logsIngestGb)} per GB of log, ${money(PRICES.metricMonth)} a metric, ${money(PRICES.alarmMonth)} an alarm, ${money(PRICES.transferOutGb)} per GB out. They
stand on ${SOURCES.map((source) => `<${source.split(" ")[0]}>`).join(",\n")}.
`;

function summary(
  measured: Measured,
  total: (items: readonly Item[]) => number,
  of: { keyed?: boolean } = {},
): string {
  const rows = SCENARIOS.map((scenario) => {
    const cells = DOORS.flatMap((door) =>
      BATCHES.map((n) => dollars(total(estimate(scenario, n, door, measured, of)))),
    );
    return `| ${scenario.name}, ${scenario.events / 1e6} M events | ${cells.join(" | ")} |`;
  });
  const heads = DOORS.flatMap((door) => BATCHES.map((n) => `${door}, n=${n}`));
  return table(["", ...heads], rows);
}

function itemised(door: Ingress, measured: Measured): string {
  const columns = SCENARIOS.flatMap((scenario) =>
    BATCHES.map((n) => ({
      head: `${scenario.name}, n=${n}`,
      items: estimate(scenario, n, door, measured),
    })),
  );
  const names = columns[0]?.items.map(({ name }) => name) ?? [];
  const cell = (items: readonly Item[], name: string) =>
    dollars(items.find((item) => item.name === name)?.dollars ?? 0);
  const rows = names.map(
    (name) => `| ${name} | ${columns.map(({ items }) => cell(items, name)).join(" | ")} |`,
  );
  const totals = columns.map(({ items }) => `**${dollars(totalOf(items))}**`);
  return table(
    ["", ...columns.map(({ head }) => head)],
    [...rows, `| **Total** | ${totals.join(" | ")} |`],
  );
}

const table = (heads: readonly string[], rows: readonly string[]): string =>
  [`| ${heads.join(" | ")} |`, `| --- |${" ---: |".repeat(heads.length - 1)}`, ...rows].join("\n");

const unitRows = ({ batches }: Measured, n: 1 | 10): string => {
  const { publish, publishKeyed, publishLost, compactRun, compactEvent } = batches[n];
  const { publishExpected, expectedReads } = batches[n];
  return [
    `| publish of ${n} | ${publish.read} | ${publish.write} |`,
    `| publish of ${n} with an Idempotency-Key | ${publishKeyed.read} | ${publishKeyed.write} |`,
    `| publish of ${n} on conditions, of keys that the process wrote last | ${publishExpected.read} | ${publishExpected.write} |`,
    `| and more for keys that it has not seen | ${expectedReads} | 0 |`,
    `| publish of ${n}, when another process was faster | ${publishLost.read} | ${publishLost.write} |`,
    `| a run of the compactor, n=${n} | ${compactRun.read} | ${compactRun.write} |`,
    `| and per event | ${compactEvent.read} | ${compactEvent.write} |`,
  ].join("\n");
};

type Compacted = (typeof compaction.cases)[number];

const compactionRow = ({ keys, ...of }: Compacted): string =>
  `| ${compaction.events} events of ${keys} keys | ${of.eventsPerSecond} | ${of.rowsPerSecond} | ${of.cpuMsPerRow} ms | ${of.writeUnitsPerEvent} |`;

const perKeyMs = (): number => compaction.cases[0]?.cpuMsPerRow ?? 1;
const hundreds = (value: number): number => Math.round(value / 100) * 100;
/** The share of a core that comes with 1 GB. A whole core comes with 1,769 MB. */
const LAMBDA_CORES = 0.58;

const units = ({ read, write }: Units): string => `${read} read and ${write} write units`;

/** The cost of a run that finds nothing, with its message. */
const hourlyRing = ({ push }: Measured): number =>
  (push.idleRun.read * PRICES.readMillion + push.idleRun.write * PRICES.writeMillion) / 1e6 +
  (PRICES.lambdaMillion + 3 * PRICES.queueMillion) / 1e6 +
  (ASSUMED.pushRunMs / 1_000) * ASSUMED.pusherGb * PRICES.lambdaGbSecondArm;

const dollars = (value: number): string => value.toFixed(2);
const money = (value: number, digits = 2): string => `$${value.toFixed(digits)}`;

const HOURS_OF_MONTH = 730;

/** Returns the cost of the bucket's requests for one segment. */
const segmentRequests = ({ archive: { segment: of } }: Measured): number =>
  (of.puts * PRICES.objectPutThousand + of.heads * PRICES.objectReadThousand) / 1_000;

/** Returns the cost of one segment: its requests and its units of the table. */
const segment = (measured: Measured): number => {
  const { read, write } = measured.archive.segment;
  const units = (read * PRICES.readMillion + write * PRICES.writeMillion) / 1e6;
  return segmentRequests(measured) + units;
};

/** Returns the number of full segments in a GB of events before compression. */
const segmentsOfGb = (): number => 1024 ** 3 / SEGMENT_RAW_BYTES;
