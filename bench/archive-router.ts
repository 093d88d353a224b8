/**
 * The router of `archive.bench.ts`, alone in its process, so that the memory of the process is the
 * router's. It answers the messages of its parent: the time, and the figures since the last ones.
 *
 * node archive-router.ts <endpoint of the store> <endpoint of the bucket> <admin key> <table>
 */
import { systemClock } from "../packages/core/src/index.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { startServer } from "../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../packages/local/src/local-aws.ts";

/** What a router has done since its figures were last asked for. */
export type RouterFigures = {
  /** The requests to the table and to the bucket. */
  readonly table: number;
  readonly bucket: number;
  readonly readUnits: number;
  readonly cpuMs: number;
  /** The largest resident set, sampled ten times a second. */
  readonly rssMiB: number;
};

/** A message to the router. `nowMs` is the time at which its clock starts. */
export type RouterMessage = { readonly nowMs: number } | "figures" | "stop";

const [endpoint = "", s3 = "", adminKey = "", tableName = ""] = process.argv.slice(2);
const MIB = 2 ** 20;
let aheadMs = 0;
let [table, bucket, rss] = [0, 0, 0];
let cpu = process.cpuUsage();
let unitsBefore = 0;

const opened = openLedger({
  endpoint,
  region: LOCAL_REGION,
  tableName,
  adminKey,
  cursorKey: "the-cursor-key-of-the-benchmark",
  clock: { ...systemClock, now: () => Date.now() + aheadMs },
  archive: {
    bucket: "archive",
    locks: false,
    endpoint: s3,
    credentials: localAws("").credentials,
    prepare: (client) =>
      client.middlewareStack.add(
        (next) => (args) => {
          bucket++;
          return next(args);
        },
        { step: "initialize" },
      ),
  },
});
opened.client.middlewareStack.add(
  (next) => (args) => {
    table++;
    return next(args);
  },
  { step: "initialize" },
);
const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
const watch = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
}, 100);

const readUnits = (): number =>
  opened.metrics
    .readings()
    .filter(({ name }) => name === "ReadUnits")
    .reduce((sum, { value }) => sum + value, 0);

function takeFigures(): RouterFigures {
  const { user, system } = process.cpuUsage(cpu);
  const units = readUnits();
  const figures = {
    table,
    bucket,
    readUnits: units - unitsBefore,
    cpuMs: Math.round((user + system) / 1_000),
    rssMiB: Math.round(Math.max(rss, process.memoryUsage.rss()) / MIB),
  };
  [table, bucket, rss, unitsBefore, cpu] = [0, 0, 0, units, process.cpuUsage()];
  return figures;
}

process.on("message", async (message: RouterMessage) => {
  if (message === "figures") process.send?.(takeFigures());
  else if (message === "stop") {
    clearInterval(watch);
    await server.stop();
    opened.close();
    process.disconnect();
  } else {
    aheadMs = message.nowMs - Date.now();
    process.send?.("set");
  }
});
process.send?.(server.url);
