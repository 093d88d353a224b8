import type { Corruption } from "./corruptions.ts";
import type { Line } from "./history.ts";

/**
 * Returns a correct history of a stream that grows by itself, gets a number of partitions, and
 * grows by itself again.
 */
export function makeGrowth(): Line[] {
  const lines: Line[] = [];
  let calls = 0;
  const add = (line: object): void => {
    lines.push({ process: "-", atMs: lines.length, ...line } as Line);
  };
  const resize = (partitions: number | "auto", from?: number): void => {
    const head = { call: ++calls, op: "resize" };
    add({ type: "invoke", ...head, stream: "orders", partitions });
    if (from !== undefined) grow(from, Number(partitions));
    add({ type: "ok", ...head });
  };
  const grow = (from: number, to: number): void =>
    add({ type: "info", op: "growing", life: "a", from, to });
  add({ type: "invoke", op: "create", call: ++calls, stream: "orders", grows: true });
  add({ type: "ok", op: "create", call: calls });
  grow(1, 4);
  resize(2, 4);
  resize("auto");
  grow(2, 8);
  resize(3, 8);
  return lines;
}

const withGrowth = (fits: (to: number) => boolean, to: object): Line[] =>
  makeGrowth().map((line) =>
    line.type === "info" && line.op === "growing" && fits(line.to) ? { ...line, ...to } : line,
  );

/** Ways to corrupt the history of a stream that grows by itself. */
export const GROWTH_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "shrunk-growth",
    how: "a stream gets fewer partitions by itself",
    spoil: () => withGrowth((to) => to === 8, { from: 16, to: 8 }),
  },
  {
    name: "unasked-growth",
    how: "a stream still grows by itself after it got a number of partitions",
    spoil: () => [
      ...makeGrowth(),
      { type: "info", process: "-", atMs: 100, op: "growing", life: "a", from: 3, to: 12 },
    ],
  },
];
