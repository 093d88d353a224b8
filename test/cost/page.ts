import {
  ALARMS,
  estimate,
  estimateIdle,
  estimateSubscriber,
  type Item,
  METRICS_SENT,
  totalBeyondFree,
  totalOf,
} from "./estimate.ts";
import type { Measured } from "./measure.ts";
import { PRICES, SOURCES } from "./prices.ts";
import { ASSUMED, BATCHES, type Ingress, SCENARIOS } from "./scenarios.ts";

const DOORS: readonly Ingress[] = ["Function URL", "HTTP API"];

/** docs/cost.md, whole. */
export const costPage = (measured: Measured): string => `# What it costs

Made by \`npm run cost -- --write\`; do not edit. Dollars a month, from the capacity units that a test
measures on DynamoDB Local and AWS's list prices of ${PRICES.date} for ${PRICES.region}, without free allowances.

${summary(measured, totalOf)}

The same beyond the free allowances of an account that uses nothing else (a million Lambda calls and
400,000 GB-seconds, 25 GB of table, 5 GB of logs, ten metrics, ten alarms, 100 GB out):

${summary(measured, totalBeyondFree)}

${ASSUMED.subscribersPerStream} subscribers a stream, on ${SCENARIOS.map(({ name, streams }) => `${streams} stream${streams > 1 ? "s" : ""} (${name})`).join(", ")};
n is the number of events in a publish request. A further subscriber that polls once a second and finds
nothing costs ${money(estimateSubscriber(measured))}.

An idle stage costs ${money(totalOf(estimateIdle(measured)))}: ${estimateIdle(measured)
  .map(({ name, dollars }) => `${name.toLowerCase()} ${money(dollars)}`)
  .join(", ")}. What it stores comes on top.

## Item by item

${DOORS.map((door) => `### ${door}\n\n${itemised(door, measured)}`).join("\n\n")}

## What moves it

- **Batches.** An event published alone takes a write unit, ten in one request
  ${measured.batches[10].publish.write}. Publishing also pays for a request each time.
- **Compaction** writes each key once per run, so an event each where keys do not repeat within
  ${ASSUMED.compactorWindowSeconds} seconds: that is what is counted here. A stream with
  \`compaction: "none"\` saves it.
- **Polling.** Poll at the pace the answers suggest (\`nextPollMs\`), not faster. Waiting is off
  on Lambda unless you set \`WAIT_SECONDS_MAX\` (deploy.md), and pages then say \`waitSecondsAdvised: 0\`:
  a request that is held open is billed by the time it waits, ${money(waiting())} a month for a
  subscriber that always waits, against ${money(estimateSubscriber(measured))} for one that asks each second.
- **The HTTP API** costs more per request than the function behind it. Its throttle and its domain are
  what it is for (deploy.md).

## Measured

| | read units | write units |
| --- | ---: | ---: |
${BATCHES.map((n) => unitRows(measured, n)).join("\n")}
| poll that finds nothing | ${measured.idlePoll.read} | ${measured.idlePoll.write} |
| poll that finds events, per answer | ${measured.busyPoll.read} | ${measured.busyPoll.write} |
| and when it commits the page before | ${measured.commit.read} | ${measured.commit.write} |
| a process looking again at what it remembers | ${measured.refresh.read} | ${measured.refresh.write} |
| sweeping an idle stream | ${measured.sweptStream.read} | ${measured.sweptStream.write} |

The events are orders of about 350 bytes of JSON. Stored, one takes ${measured.batches[1].storedBytesPerEvent} bytes alone and
${measured.batches[10].storedBytesPerEvent} among ten; the current state of a key takes ${measured.keyBytes}; delivered, an event takes
${measured.batches[1].answerBytesPerEvent} bytes of an answer alone and ${measured.batches[10].answerBytesPerEvent} among ten, which travel compressed. A request leaves ${measured.logLineBytes} bytes of log.

## Assumed

What cannot be measured without AWS, or is yours to decide:

| | |
| --- | --- |
| router, 1 GB, arm64 | ${ASSUMED.publishMs} ms a publish, ${ASSUMED.idlePollMs} ms a poll that finds nothing, ${ASSUMED.busyPollMs} ms one that does, ${ASSUMED.commitMs} ms more with a commit |
| compactor, 1 GB | one run per ${ASSUMED.compactorWindowSeconds} s with events, ${ASSUMED.compactorMs} ms and ${ASSUMED.compactorMsPerEvent} ms an event |
| subscribers | poll every second all month, and commit what they got when they poll again, in one request, accepting gzip |
| conflicts | a publish finds that another process was faster ${ASSUMED.conflictsPerOverlap} times as often as two overlap |
| kept | events ${ASSUMED.keptDays} days (retention and 30 days), the current state of ${SCENARIOS.map(({ keys }) => `${keys / 1e6} M`).join(" / ")} keys |
| processes | ${ASSUMED.processes} of the router at any time, for what each does again and again |
| readers | outside AWS: all answers are data transfer out, ${ASSUMED.headersBytes} bytes of headers each |
| CloudWatch | ${METRICS_SENT} metrics and ${ALARMS} alarms; a line of the access log has ${ASSUMED.accessLogBytes} bytes |

Prices: ${money(PRICES.writeMillion, 3)} and ${money(PRICES.readMillion, 3)} per million write and read units, ${money(PRICES.storageGbMonth)} and ${money(PRICES.backupGbMonth)} per GB
stored and backed up, ${money(PRICES.lambdaMillion)} per million Lambda calls and $${PRICES.lambdaGbSecondArm} per GB-second, ${money(PRICES.httpApiMillion)} per
million HTTP API requests, ${money(PRICES.logsIngestGb)} per GB of log, ${money(PRICES.metricMonth)} a metric, ${money(PRICES.alarmMonth)} an alarm, ${money(PRICES.transferOutGb)} per GB out. They
stand on ${SOURCES.map((source) => `<${source.split(" ")[0]}>`).join(",\n")}.
`;

function summary(measured: Measured, total: (items: readonly Item[]) => number): string {
  const rows = SCENARIOS.map((scenario) => {
    const cells = DOORS.flatMap((door) =>
      BATCHES.map((n) => dollars(total(estimate(scenario, n, door, measured)))),
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
  const { publish, publishLost, compactRun, compactEvent } = batches[n];
  return [
    `| publish of ${n} | ${publish.read} | ${publish.write} |`,
    `| publish of ${n}, when another process was faster | ${publishLost.read} | ${publishLost.write} |`,
    `| a run of the compactor, n=${n} | ${compactRun.read} | ${compactRun.write} |`,
    `| and per event | ${compactEvent.read} | ${compactEvent.write} |`,
  ].join("\n");
};

/** A request that is always open. */
const waiting = (): number =>
  ASSUMED.hoursPerMonth * 3_600 * ASSUMED.routerGb * PRICES.lambdaGbSecondArm;

const dollars = (value: number): string => value.toFixed(2);
const money = (value: number, digits = 2): string => `$${value.toFixed(digits)}`;
