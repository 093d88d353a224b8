/**
 * Compares the CPU time of requests in two checkouts, alternately in one run. Requests go to
 * `app.fetch`, and a substitute answers the store's requests at once.
 *
 * node bench/router-compare.bench.ts <folder of the earlier checkout> [rounds]
 */
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { resolve } from "node:path";
import { recordResult } from "./record.ts";

const [before = "", rounds = "2"] = process.argv.slice(2);
const now = resolve(import.meta.dirname, "..");
const KINDS = ["publish-1", "publish-100", "page-100-of-1", "page-100"];
/** High enough that the time of the compiler does not count. */
const FACTOR = "4";

const load = Math.round((loadavg()[0] ?? 0) * 100) / 100;
const times = new Map<string, number[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const kind of KINDS) {
    for (const checkout of [before, now]) measure(kind, checkout);
  }
}
const cases = KINDS.map((kind) => {
  const [earlier, later] = [least(kind, before), least(kind, now)];
  return { kind, before: earlier, now: later, times: Math.round((earlier / later) * 100) / 100 };
});
recordResult("router-compare", { load, rounds: Number(rounds), cases });

function measure(kind: string, checkout: string): void {
  const program = resolve(import.meta.dirname, "router-inside.ts");
  const printed = execFileSync(process.execPath, [program, checkout, kind, FACTOR], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { [kind]: microseconds = Number.NaN } = JSON.parse(printed) as Record<string, number>;
  console.error(`${kind}: ${Math.round(microseconds)} us in ${checkout}`);
  const name = `${kind} ${checkout}`;
  times.set(name, [...(times.get(name) ?? []), microseconds]);
}

/** The least disturbed round. */
function least(kind: string, checkout: string): number {
  return Math.min(...(times.get(`${kind} ${checkout}`) ?? []));
}
