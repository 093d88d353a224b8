/**
 * Measures how much the compaction of a burst slows a publisher down. One publisher sends single
 * events, then a burst of 100,000 events over 20,000 keys follows, then the publisher continues
 * until the burst is compacted. The whole local stack runs, on disk.
 *
 * node bench/burst.bench.ts [events] [keys]
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../packages/local/src/stack.ts";
import type { BurstFigures } from "./burst-load.ts";
import { recordResult } from "./record.ts";
import { runChild } from "./run-child.ts";

const [events = 100_000, keys = events / 5] = process.argv.slice(2).map(Number);
const BATCH = 1_000;
const BEFORE_SECONDS = 10;
const AFTER_SECONDS = 120;
const KEPT_MIN = 0.7;
const BACKLOG_SECONDS_MAX = 60;

const load = loadavg()[0] ?? 0;
const dataFolder = mkdtempSync(join(tmpdir(), "eventledger-burst-"));
const stack = await startStack({ dataFolder, onNotice: console.error });
try {
  const name = `bench-${randomUUID()}`;
  const headers = { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" };
  const body = JSON.stringify({ name, partitions: 1 });
  const created = await fetch(`${stack.url}/streams`, { method: "POST", headers, body });
  if (created.status !== 201) throw new Error(await created.text());
  const seconds = [BEFORE_SECONDS, AFTER_SECONDS];
  const parameters = [
    stack.url,
    stack.adminKey,
    name,
    ...[events, keys, BATCH, ...seconds].map(String),
  ];
  const child = runChild<BurstFigures>("burst-load.ts", ...parameters);
  await child.ready;
  child.start();
  const figures = await child.result;
  const metrics = await (await fetch(`${stack.url}/metrics`)).text();
  const keptShare = Math.round((figures.during / figures.before) * 100) / 100;
  const { backlogSeconds } = figures;
  recordResult("burst", {
    loadBefore: Math.round(load * 100) / 100,
    events,
    keys,
    batch: BATCH,
    keptShare,
    keptShareMin: KEPT_MIN,
    ...figures,
    backlogSecondsMax: BACKLOG_SECONDS_MAX,
    rowsWritten: countOf(metrics, "eventledger_compacted_rows_total"),
  });
  if (keptShare < KEPT_MIN || backlogSeconds === null || backlogSeconds > BACKLOG_SECONDS_MAX) {
    process.exitCode = 1;
  }
} finally {
  await stack.stop();
  rmSync(dataFolder, { recursive: true });
}

function countOf(page: string, metric: string): number | null {
  const value = new RegExp(`^${metric} (\\d+)`, "m").exec(page)?.[1];
  return value === undefined ? null : Number(value);
}
