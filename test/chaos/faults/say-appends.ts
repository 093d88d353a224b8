import { count, none, type Said } from "../../proof/record.ts";

/** The counts under one kind of fault. Faults are counted as `fault.<name>`. */
export type FaultCounts = {
  readonly kind: string;
  readonly violations: number;
  readonly events: number;
  readonly requests: number;
  readonly [count: string]: string | number;
};

/** Describes the result of the append suites on the fake store or on DynamoDB Local. */
export function sayAppends(name: string, kinds: readonly FaultCounts[]): Said {
  const sum = (of: (kind: FaultCounts) => number) =>
    kinds.reduce((total, kind) => total + of(kind), 0);
  const faults = sum((kind) =>
    Object.entries(kind).reduce(
      (total, [name, value]) => total + (name.startsWith("fault.") ? Number(value) : 0),
      0,
    ),
  );
  const store = name.endsWith("-local") ? "DynamoDB Local" : "the fake";
  const parts = [
    count(kinds.length, "kind of fault", "kinds of faults"),
    count(faults, "fault"),
    count(
      sum(({ requests }) => requests),
      "publish",
      "publishes",
    ),
    count(
      sum(({ events }) => events),
      "event",
    ),
  ];
  return {
    part: `Appends on ${store} under faults`,
    ran: parts.join(", "),
    found: none(
      sum(({ violations }) => violations),
      "violation",
    ),
  };
}
