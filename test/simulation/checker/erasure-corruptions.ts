import type { Corruption } from "./corruptions.ts";
import type { Invoke, Line, Ok } from "./history.ts";

const isPage = (line: Line): line is Ok & { op: "read" } =>
  line.type === "ok" && line.op === "read" && line.phase === "log" && line.events.length > 0;
const isPublish = (line: Line): line is Invoke & { op: "publish" } =>
  line.type === "invoke" && line.op === "publish";

export const ERASURE_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "erased-read",
    how: "a page has data that was erased before it was requested",
    spoil: eraseFirst,
  },
  {
    name: "erased-else",
    how: "an event without its data is of no key that was erased",
    spoil(lines) {
      const page = lines.findLast(isPage);
      if (page === undefined) return undefined;
      const events = page.events.map(([n, sequence]) => [n, sequence, true] as const);
      return lines.map((line) => (line === page ? { ...page, events } : line));
    },
  },
];

/** Says before everything that the key of an event that is read later was erased. */
function eraseFirst(lines: readonly Line[]): Line[] | undefined {
  const published = lines.filter(isPublish).flatMap(({ events }) => events);
  for (const { life, events } of lines.filter(isPage)) {
    for (const [number, sequence] of events) {
      const event = published.find(({ n }) => n === number);
      if (event === undefined || event.dead === true) continue;
      const head = { type: "info", process: "-", atMs: 0 } as const;
      const until = sequence + 1;
      return [{ ...head, op: "erased", life, key: event.key, until }, ...lines];
    }
  }
  return undefined;
}
