import type { Plan } from "../world/plan.ts";
import type { Mutant } from "./mutants.ts";

/** A plan in which several processes write the same few keys and most publishes are conditional. */
const EXPECTING: Partial<Plan> = {
  conditioners: 3,
  publishers: 3,
  apis: 3,
  requests: 8,
  keys: 2,
  burst: 3,
  keyed: 0.3,
  tombstones: 0.2,
  deletes: 0,
  phases: 1,
  followers: 0,
  bootstrappers: 0,
  browsers: 0,
  sweepers: 1,
  doorbell: true,
  kills: 0,
  freezes: 0,
  restores: 0,
  patches: 0,
  oldCursors: 0,
};

/** The rules of conditional publishes, each with a mutant. */
export const ofExpectations: readonly Mutant[] = [
  {
    rule: "what is expected counts",
    file: "log/append/expectation-plan.ts",
    from: "sequence === last.sequence || (sequence === 0 && last.deleted);",
    to: "sequence >= 0 || last.sequence >= 0;",
  },
  {
    rule: "a deleted key has no current state",
    file: "log/append/expectation-plan.ts",
    from: "(sequence === 0 && last.deleted);",
    to: "(sequence === 0 && last.sequence === 0);",
  },
  {
    rule: "the log after the watermark is read up to the end",
    file: "log/append/last-events.ts",
    from: "while (tail.upto < end) {",
    to: "while (tail.upto < 0) {",
  },
  {
    rule: "the compacted state tells of what lies below the watermark",
    file: "log/append/last-events.ts",
    from: "note(latest, key, rows[index] ?? NO_EVENT);",
    to: "note(latest, key, rows[index] === undefined ? NO_EVENT : NO_EVENT);",
  },
  {
    rule: "what this process appends is learned only where its memory ends",
    file: "log/append/last-events.ts",
    from: "if (tail === undefined || tail.upto !== first) continue;",
    to: "if (tail === undefined) continue;",
  },
  {
    rule: "no request joins a group that writes a key of which it expects something",
    file: "log/append/group-plan.ts",
    from: "    !writesExpectedKey(group.items, request) &&\n",
    to: "",
    plan: { ...EXPECTING, apis: 1, publishers: 4, publishPaceMs: [0] },
  },
  {
    rule: "a mismatch counts only at an end that was read since",
    file: "log/append/expectations.ts",
    from: "if (wrong.every(({ arrivedAt }) => arrivedAt <= seenAt)) {",
    to: "if (wrong.every(({ arrivedAt }) => arrivedAt >= 0 || seenAt > 0)) {",
  },
  {
    rule: "an idempotency key's verdict goes before a mismatch",
    file: "log/append/expectations.ts",
    from: "if (row === undefined) refused.set",
    to: "if (row === undefined || row !== undefined) refused.set",
    plan: { ...EXPECTING, keyed: 1 },
  },
].map((mutant): Mutant => ({ plan: EXPECTING, ...mutant }));
