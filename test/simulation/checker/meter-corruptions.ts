import type { Corruption } from "./corruptions.ts";
import type { Line } from "./history.ts";

const HOUR_MS = 3_600_000;

/** Returns the time after everything in a history. */
const endOf = (lines: readonly Line[]): number => (lines.at(-1)?.atMs ?? 0) + HOUR_MS;

const info = { type: "info", process: "-" } as const;
const meter = { process: "m", op: "meter" } as const;

/** Adds a line about usage at the end. */
const usage =
  (change: (written: number) => { readonly events: number; readonly stateBytes?: number }) =>
  (lines: readonly Line[]): Line[] => {
    const batches = lines.flatMap((line) =>
      line.type === "info" && line.op === "batch" ? line.events : [],
    );
    const same = { stateBytes: 0, rowBytes: 0, isWhole: true };
    const of = { ...same, ...change(batches.length) };
    return [...lines, { ...info, op: "usage", atMs: endOf(lines), ...of }];
  };

/** Adds requests that pass, one each `everyMs`, an hour after a quota of 10 a second was set. */
const passing =
  (count: number, everyMs: number) =>
  (lines: readonly Line[]): Line[] => {
    const atMs = endOf(lines);
    const from = atMs + HOUR_MS;
    const call = 1_000_000;
    const requests = Array.from({ length: count }, (_, n): Line[] => [
      { ...meter, type: "invoke", kind: "data", call: call + n, atMs: from + n * everyMs },
      { ...meter, type: "ok", isLimited: true, call: call + n, atMs: from + n * everyMs },
    ]);
    return [
      ...lines,
      { ...info, op: "quota", perSecond: 10, atMs },
      { ...info, op: "thirst", atMs: from },
      ...requests.flat(),
      { ...info, op: "quenched", atMs: from + count * everyMs },
    ];
  };

/** Adds one request, an hour after a quota was set. */
const single =
  (
    kind: "data" | "administration",
    end: { readonly code: string } | { readonly isLimited: false },
  ) =>
  (lines: readonly Line[]): Line[] => {
    const atMs = endOf(lines);
    const head = { ...meter, call: 1_000_000, atMs: atMs + HOUR_MS };
    const answer: Line =
      "code" in end ? { ...head, type: "fail", ...end } : { ...head, type: "ok", ...end };
    return [
      ...lines,
      { ...info, op: "quota", perSecond: 10, atMs },
      { ...head, type: "invoke", kind },
      answer,
    ];
  };

export const METER_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "usage-mismatch",
    how: "usage counts an event twice",
    spoil: usage((written) => ({ events: written + 1 })),
  },
  {
    name: "usage-mismatch",
    how: "usage does not count an event",
    spoil: usage((written) => ({ events: written - 1 })),
  },
  {
    name: "state-mismatch",
    how: "the size of the state is not that of its rows",
    spoil: usage((written) => ({ events: written, stateBytes: 1 })),
  },
  {
    name: "quota-over",
    how: "a fifth more than the quota pass",
    spoil: passing(1_200, 1_000 / 12),
  },
  { name: "quota-under", how: "a tenth less than the quota pass", spoil: passing(180, 1_000 / 9) },
  {
    name: "quota-shut",
    how: "a request for data fails with the table",
    spoil: single("data", { code: "store-unavailable" }),
  },
  {
    name: "quota-open",
    how: "a request of administration passes without a known quota",
    spoil: single("administration", { isLimited: false }),
  },
];
