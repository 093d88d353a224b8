/**
 * Archives a stream, removes its rows from the table, and reads it back over HTTP: every event must
 * be there, byte for byte. The router is alone in its process. The archiver and the bucket are in
 * this one.
 *
 * node bench/archive.bench.ts [events]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { ReadEvents } from "./archive-client.ts";
import { openArchiveBench, ROUTER_OPTIONS } from "./archive-installation.ts";
import type { RouterFigures } from "./archive-router.ts";
import { recordResult } from "./record.ts";

const [events = 1_000_000] = process.argv.slice(2).map(Number);
/** These events have left the table when the subscription continues. */
const old = events * 0.9;
const BATCH = 1_000;
const PAGE = 1_000;
const KEYS = 1_000;
const DAY_MS = 24 * 3_600_000;
const RSS_MIB_MAX = 300;
const CROSSINGS = 20;

const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
const folder = mkdtempSync(join(tmpdir(), "eventledger-archive-"));
const bench = await openArchiveBench(folder);
const { client } = bench;
const peaks: number[] = [];
const take = async (): Promise<RouterFigures> => {
  const figures = await bench.figures();
  peaks.push(figures.rssMiB);
  return figures;
};
try {
  await bench.setTime(Date.now() - 40 * DAY_MS);
  await client.create({ partitions: 1, retentionHours: 1, archiveDays: 365 });
  await client.post("/subscriptions", { name: "audit" });
  say("publishing");
  const published = await publish(1, old);
  const { events: ten } = await client.get("/subscriptions/audit/poll?limit=10");
  await client.post("/subscriptions/audit/commit", { sequence: ten.at(-1).sequence });
  await take();
  say("reading from the table");
  const hotRead = await client.readOn("earliest", PAGE);
  const hot = costOf(hotRead, await take());

  say("archiving");
  const archived = await archiveNow();
  const archiving = await take();
  await bench.emptyTable(old);
  await publish(old + 1, events);
  say("the subscription goes on");
  await take();
  const subscription = await goOn();
  const crossing = await readCrossings(old + 1);

  await archiveNow();
  await take();
  const whole = await client.readOn("earliest", PAGE);
  await bench.emptyTable(events);
  await take();
  say("reading from the bucket");
  const coldRead = await client.readOn("earliest", PAGE);
  const cold = costOf(coldRead, await take());
  if (coldRead.sha256 !== whole.sha256) throw new Error("The archive has other bytes");
  if (coldRead.events !== events) throw new Error(`${coldRead.events} events`);

  say("verifying");
  const verified = await verify();
  const verifying = await take();
  const { archive } = await client.get("");
  const shell = await compareWithShell(coldRead.sha256);
  const rssMiB = Math.max(...peaks);
  recordResult("archive", {
    loadBefore: load,
    routerOptions: ROUTER_OPTIONS,
    events,
    bytesPerEvent: Math.round(shell.bytes / events),
    published,
    archive: {
      segments: archive.segments,
      bytes: archive.bytes,
      eventsPerSecond: rate(archived.events, archived.seconds),
      rssMiB: archiving.rssMiB,
    },
    hot,
    crossing,
    cold,
    sha256: coldRead.sha256,
    subscription,
    verify: { ...verified, rssMiB: verifying.rssMiB },
    shell: { lines: shell.lines, sumOfNumbers: shell.sum },
    rssMiB,
    rssMiBMax: RSS_MIB_MAX,
  });
  if (rssMiB > RSS_MIB_MAX) process.exitCode = 1;
} finally {
  await bench.stop();
  rmSync(folder, { recursive: true });
}

async function publish(from: number, to: number): Promise<{ eventsPerSecond: number }> {
  const began = performance.now();
  for (let first = from; first <= to; first += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, to - first + 1) }, (_, at) => ({
      key: `k${(first + at) % KEYS}`,
      data: { n: first + at, text: `event ${first + at} of a stream` },
    }));
    await client.post("/events", { events: some });
  }
  return { eventsPerSecond: rate(to - from + 1, (performance.now() - began) / 1_000) };
}

async function archiveNow() {
  const began = performance.now();
  let count = 0;
  for (let done = false; !done; ) {
    const receipt = await client.post("/archive");
    count += receipt.events;
    ({ done } = receipt);
  }
  return { events: count, seconds: (performance.now() - began) / 1_000 };
}

/** The subscription has committed event 10. It polls and commits until it has caught up. */
async function goOn() {
  const began = performance.now();
  let next = 11;
  let commit: string | undefined;
  const oldestRow = await bench.oldestRow();
  if (oldestRow !== old + 1) throw new Error(`The oldest row is ${oldestRow}`);
  for (let caughtUp = false; !caughtUp; ) {
    const page = await client.post("/subscriptions/audit/poll", { limit: PAGE, commit });
    for (const { sequence } of page.events) {
      if (sequence !== next) throw new Error(`The subscription got ${sequence}, not ${next}`);
      next++;
    }
    ({ cursor: commit, caughtUp } = page);
  }
  if (next !== events + 1) throw new Error(`The subscription ends before ${next}`);
  const seconds = (performance.now() - began) / 1_000;
  const cost = costOf({ events: next - 11, seconds }, await take());
  return { committed: 10, from: 11, to: next - 1, ...cost };
}

/** Reads pages that begin in the archive and end in the table. */
async function readCrossings(floor: number) {
  await take();
  const began = performance.now();
  let count = 0;
  for (let n = 1; n <= CROSSINGS; n++) {
    const first = floor - Math.round((n * PAGE) / (CROSSINGS + 1));
    const page = await client.get(`/events?limit=${PAGE}&from=${first}`);
    if (page.events.length !== PAGE) throw new Error(`A page of ${page.events.length}`);
    count += page.events.length;
  }
  const seconds = (performance.now() - began) / 1_000;
  return costOf({ events: count, seconds }, await take());
}

async function verify() {
  const began = performance.now();
  let [segments, count] = [0, 0];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const answer = await client.post(`/archive/verify${query}`);
    if (answer.fault !== null) throw new Error(JSON.stringify(answer.fault));
    segments += answer.segments;
    count += answer.events;
    ({ cursor } = answer);
  }
  if (count !== events) throw new Error(`${count} events were verified`);
  return { segments, eventsPerSecond: rate(count, (performance.now() - began) / 1_000) };
}

/** Reads the objects with zcat, wc, jq and sha256sum, and compares that with the API. */
async function compareWithShell(sha256: string) {
  const { segments } = await client.get("/archive?limit=500");
  const names: string[] = segments.map(({ object }: { object: string }) => object);
  const files = await bench.fetchObjects(names);
  const shell = (command: string): string =>
    execFileSync("bash", ["-c", `set -o pipefail; zcat "$@" | ${command}`, "-", ...files])
      .toString()
      .trim();
  const lines = Number(shell("wc -l"));
  if (lines !== events) throw new Error(`${lines} lines`);
  const [hash] = shell("paste -s -d, - | tr -d '\\n' | sha256sum").split(" ");
  if (hash !== sha256) throw new Error("The lines of the objects are not those of the pages");
  const sum = Number(shell("jq -n 'reduce inputs as $e (0; . + $e.data.n)'"));
  if (sum !== (events * (events + 1)) / 2) throw new Error(`The sum is ${sum}`);
  return { lines, sum, bytes: Number(shell("wc -c")) };
}

/** Returns the cost of a thousand events. */
function costOf(
  { events: count, seconds }: Pick<ReadEvents, "events" | "seconds">,
  { table, bucket, readUnits, cpuMs, rssMiB }: RouterFigures,
) {
  const perThousand = (value: number) => Math.round((value * 100_000) / count) / 100;
  return {
    eventsPerSecond: rate(count, seconds),
    requestsPerThousand: { table: perThousand(table), bucket: perThousand(bucket) },
    readUnitsPerThousand: perThousand(readUnits),
    cpuMsPerThousand: perThousand(cpuMs),
    rssMiB,
  };
}

function rate(count: number, seconds: number): number {
  return Math.round(count / seconds);
}

function say(line: string): void {
  console.error(`${Math.round(performance.now() / 1_000)} s: ${line}`);
}
