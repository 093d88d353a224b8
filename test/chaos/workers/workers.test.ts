import { afterAll, expect, it } from "vitest";
import { openTarget } from "../../contract/target.ts";
import { count, none, type Said, saveRecord, seconds } from "../../proof/record.ts";
import { whereWeAre } from "../../proof/where.ts";
import { type Disturbed, findViolations, type Options, runDisturbed } from "./disturbed.ts";

/** WORKERS_SECONDS=60 WORKERS_RESULTS=test/results/workers.json records the published result. */
const { WORKERS_SECONDS = "12", WORKERS_RESULTS } = process.env;
const options: Options = {
  workers: 8,
  partitions: 16,
  leaseSeconds: 2,
  waitSeconds: 1,
  durationMs: Number(WORKERS_SECONDS) * 1_000,
  everyMs: 2_000,
};
const LEASE_MS = options.leaseSeconds * 1_000;
const TAKE_OVER_MS = LEASE_MS + 2_000;
/**
 * A worker that should take over may be the next victim. Then its own lease has to expire as well.
 */
const AFTER_TWO_MS = TAKE_OVER_MS + LEASE_MS;
/** A busy machine is sometimes late. The published result must not be. */
const LATE = WORKERS_RESULTS === undefined ? 3 : 1;

const { close, ...target } = await openTarget();
afterAll(close);

it("[lease.standby] no event is lost and every key keeps its order while workers are killed and paused", {
  timeout: options.durationMs + 180_000,
}, async () => {
  const began = new Date().toISOString();
  const disturbed = await runDisturbed(target, options);
  const violations = findViolations(disturbed);
  const figures = figuresOf(disturbed);
  console.log(JSON.stringify(figures));
  if (WORKERS_RESULTS !== undefined) {
    const said = sayWorkers(figures, violations.length);
    const record = { began, ...options, ...figures, violations };
    saveRecord(WORKERS_RESULTS, said, record, whereWeAre());
  }
  expect(violations).toEqual([]);
  const refusals = disturbed.lines.flatMap(({ refused }) => refused ?? []);
  expect(refusals.filter((code) => code !== "lease-lost")).toEqual([]);
  for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
    const { takeOverMs } = figures[signal];
    expect(takeOverMs[Math.floor((takeOverMs.length - 1) / 2)]).toBeLessThan(TAKE_OVER_MS);
    expect(takeOverMs.at(-1)).toBeLessThan(LATE * AFTER_TWO_MS);
  }
  expect(Math.min(figures.SIGKILL.count, figures.SIGSTOP.count)).toBeGreaterThan(0);
});

function figuresOf({ lines, published, takeOvers }: Disturbed) {
  const of = (wanted: string) => {
    const taken = takeOvers.filter(({ signal }) => signal === wanted).map(({ ms }) => ms);
    taken.sort((a, b) => a - b);
    return { count: taken.length, takeOverMs: taken };
  };
  return {
    published: published.length,
    deliveries: lines.filter(({ data }) => data !== undefined).length,
    commits: lines.filter(({ committed }) => committed === true).length,
    refusals: lines.filter(({ refused }) => refused !== undefined).length,
    SIGKILL: of("SIGKILL"),
    SIGSTOP: of("SIGSTOP"),
  };
}

function sayWorkers(figures: ReturnType<typeof figuresOf>, violations: number): Said {
  const { published, deliveries, SIGKILL, SIGSTOP } = figures;
  const took = [...SIGKILL.takeOverMs, ...SIGSTOP.takeOverMs].sort((a, b) => a - b);
  const parts = [
    count(options.workers, "worker"),
    count(options.partitions, "partition"),
    `a lease of ${options.leaseSeconds} s`,
    `${options.durationMs / 1_000} s`,
    count(published, "event"),
    count(deliveries, "delivery", "deliveries"),
    count(SIGKILL.count, "kill"),
    count(SIGSTOP.count, "pause"),
  ];
  const found = `${none(violations, "violation")}, each share taken over within ${seconds(took.at(-1) ?? 0)}`;
  return { part: "Workers of one subscription", ran: parts.join(", "), found };
}
