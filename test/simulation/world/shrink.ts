import type { FaultRates } from "../dynamodb/faults.ts";
import type { Plan } from "./plan.ts";

export type Shrunk = {
  readonly plan: Plan;
  /** What is left out or reduced, in the order in which it turned out not to matter. */
  readonly without: readonly string[];
  /** The number of smaller plans that were played. */
  readonly tried: number;
};

type Step = { readonly what: string; readonly change: (plan: Plan) => Partial<Plan> };

/**
 * The parts that can be left out completely. Large parts come first, because their contents then
 * need no separate attempt.
 */
const LEFT_OUT: readonly Step[] = [
  { what: "all faults of writes", change: () => ({ writeFaults: {} }) },
  { what: "all faults of reads", change: () => ({ readFaults: {} }) },
  ...(
    [
      "kills",
      "freezes",
      "skewMs",
      "deletes",
      "seeks",
      "crashes",
      "browseAnew",
      "conditioners",
      "browsers",
      "bootstrappers",
      "followers",
      "sweepers",
      "keyed",
      "impostors",
      "tombstones",
      "teams",
      "failing",
      "leaves",
      "operations",
      "holders",
      "listers",
      "differences",
      "divides",
    ] as const
  ).map((what) => ({ what, change: () => ({ [what]: 0 }) })),
  { what: "reaper", change: () => ({ reaper: false }) },
  { what: "doorbell", change: () => ({ doorbell: false }) },
  { what: "stale reads", change: ({ store }) => ({ store: { ...store, staleMs: 0 } }) },
  { what: "torn reads", change: ({ store }) => ({ store: { ...store, scanMs: 0 } }) },
  { what: "slow transactions", change: ({ store }) => ({ store: { ...store, commitMs: 0 } }) },
];

/** The amounts that can be reduced, to one or to half. */
const MADE_LESS = [
  "phases",
  "partitions",
  "apis",
  "keys",
  "burst",
  "publishers",
  "requests",
  "polls",
  "conditioners",
  "followers",
  "bootstrappers",
  "browsers",
  "sweepers",
  "freezes",
  "kills",
  "teams",
  "workers",
  "operations",
  "holders",
  "asks",
  "listers",
] as const;

/**
 * Searches for the smallest plan that still fails. It leaves out one kind of fault or one role at a
 * time, and reduces the amounts, until nothing more can go or `isInTime` is false. The search is
 * greedy, so another order may end with another plan.
 */
export async function shrinkPlan(
  plan: Plan,
  fails: (smaller: Plan) => Promise<boolean>,
  isInTime: () => boolean,
): Promise<Shrunk> {
  let smallest = plan;
  const without: string[] = [];
  let tried = 0;
  for (let shrinks = true; shrinks; ) {
    shrinks = false;
    for (const { what, change } of [...LEFT_OUT, ...kindsOf(smallest), ...lessOf(smallest)]) {
      if (!isInTime()) return { plan: smallest, without, tried };
      const smaller = { ...smallest, ...change(smallest) };
      if (JSON.stringify(smaller) === JSON.stringify(smallest)) continue;
      tried++;
      if (!(await fails(smaller))) continue;
      smallest = smaller;
      without.push(what);
      shrinks = true;
    }
  }
  return { plan: smallest, without, tried };
}

/** Returns the kinds of faults in a plan. Each can be left out. */
function kindsOf({ writeFaults, readFaults }: Plan): Step[] {
  const rest = (rates: FaultRates, kind: string): FaultRates =>
    Object.fromEntries(Object.entries(rates).filter(([name]) => name !== kind));
  return [
    ...Object.keys(writeFaults).map((kind) => ({
      what: `${kind} of writes`,
      change: (plan: Plan) => ({ writeFaults: rest(plan.writeFaults, kind) }),
    })),
    ...Object.keys(readFaults).map((kind) => ({
      what: `${kind} of reads`,
      change: (plan: Plan) => ({ readFaults: rest(plan.readFaults, kind) }),
    })),
  ];
}

const lessOf = (plan: Plan): Step[] =>
  MADE_LESS.flatMap((name) => {
    const counts = [...new Set([1, Math.floor(plan[name] / 2), plan[name] - 1])];
    return counts
      .filter((count) => count >= 1 && count < plan[name])
      .map((count) => ({
        what: `${name} to ${count}`,
        change: (now: Plan) => ({ [name]: Math.min(count, now[name]) }),
      }));
  });
