import type { Plan } from "../world/plan.ts";
import type { Mutant } from "./mutants.ts";

/** Workers share a subscription of a few keys, and much fails, is parked and is released. */
const TEAM: Partial<Plan> = {
  teams: 1,
  workers: 2,
  failing: 0.4,
  leaves: 0.2,
  leaseSeconds: 1,
  operations: 20,
  maxDeliveries: [0],
  polls: 25,
  keys: 2,
  partitions: 1,
  apis: 3,
  publishers: 2,
  requests: 10,
  phases: 1,
  followers: 0,
  bootstrappers: 0,
  browsers: 0,
  conditioners: 0,
  sweepers: 0,
  doorbell: false,
  deletes: 0,
  patches: 0,
  restores: 0,
  kills: 0,
  freezes: 0,
  skewMs: 0,
};

/** In this plan, workers do not fail. */
const SHARES: Partial<Plan> = { ...TEAM, failing: 0, operations: 0, leaves: 0.4, partitions: 3 };

/** Keys with bounds are used all the time, and revoked. */
const KEYS: Partial<Plan> = { ...TEAM, holders: 2, asks: 60, keys: 4, operations: 5, workers: 1 };

/** Mutants that show an API key more than its bounds, or let it do more. */
export const ofKeys: readonly Mutant[] = [
  {
    rule: "a key covers only the subscriptions that its globs name",
    file: "access/permission.ts",
    from: "subscriptions.some((glob) => coversGlob(glob, name));",
    to: 'subscriptions.some((glob) => coversGlob(glob, name) || name !== "");',
    plan: KEYS,
  },
  {
    rule: "a key covers only streams that its globs name",
    file: "access/permission.ts",
    from: "streams.some((glob) => coversGlob(glob, name));",
    to: 'streams.some((glob) => coversGlob(glob, name) || name !== "");',
    plan: KEYS,
  },
  {
    rule: "a prefix bounds the event keys that a key names",
    file: "access/permission.ts",
    from: "keyOrPrefix.startsWith(keyPrefix);",
    to: 'keyOrPrefix.startsWith(keyPrefix) || keyOrPrefix !== "";',
    plan: KEYS,
  },
  {
    rule: "a revoked key is not remembered",
    file: "access/key-memory.ts",
    from: "const MEMORY_MS = 20_000;",
    to: "const MEMORY_MS = 20_000_000;",
    plan: KEYS,
  },
  {
    rule: "a key that is bound to a prefix browses within it",
    file: "../../functions/src/http/within.ts",
    from: "if (asked === undefined || keyPrefix.startsWith(asked)) return keyPrefix;",
    to: "if (asked === undefined || keyPrefix.startsWith(asked)) return asked;",
    plan: KEYS,
  },
  {
    rule: "a request needs one of the scopes of its operation",
    file: "../../functions/src/http/auth.ts",
    from: "if (!scopes.some((scope) => holds(caller, scope)))",
    to: 'if (scopes.every((scope) => holds(caller, scope) && scope === "root"))',
    plan: KEYS,
  },
];

/** The clock of the only process is set, and no worker leaves. */
const CLOCK_BACK: Partial<Plan> = {
  ...SHARES,
  apis: 1,
  phases: 3,
  skewMs: 600_000,
  monotonicStops: false,
  leaves: 0,
};

/** Mutants that break a promise of parking, shares or changed settings in the simulation. */
export const ofTeams: readonly Mutant[] = [
  {
    rule: "what is parked from earlier on stays parked from there",
    file: "subscription/parking/parking-plan.ts",
    from: "if (known !== undefined && !known.retrying && known.next <= next) return",
    to: "if (known !== undefined && !known.retrying && known.next === next) return",
    plan: { ...TEAM, keys: 1, workers: 1, operations: 60 },
  },
  {
    rule: "a key is withheld from its parked event on, and not from the next",
    file: "subscription/poll/read-log.ts",
    from: "event.sequence < (from.get(event.key) ?? Infinity)",
    to: "event.sequence <= (from.get(event.key) ?? Infinity)",
    plan: TEAM,
  },
  {
    rule: "a skip names the event that it leaves out",
    file: "subscription/parking/release-plan.ts",
    from: "if (sequence !== undefined && sequence !== parked.next) {",
    to: "if (sequence !== undefined && sequence < 0) {",
    plan: { ...TEAM, keys: 1, workers: 1, operations: 60 },
  },
  {
    rule: "a queue is delivered up to what is committed",
    file: "subscription/parking/queue.ts",
    from: "const ended = reached.next >= next;",
    to: "const ended = reached.next >= 0;",
    plan: { ...TEAM, pageLimits: [1] },
  },
  {
    rule: "the share of a worker that has left is free at once",
    file: "subscription/workers/leases.ts",
    from: "const { offsets } = await subscriptions.load(stream, name);\n    await giveUpAll(life, row.uid, offsets, consumer);",
    to: "void giveUpAll;",
    plan: SHARES,
  },
  {
    rule: "a worker's commit is checked by the lease that it was read under",
    file: "table/offset.entity.ts",
    from: "if (guard.token !== undefined) return eq(row.token, guard.token);",
    to: "if (guard.token !== undefined) return lte(row.partition, 1e9);",
    plan: { ...SHARES, workers: 3 },
  },
  {
    rule: "a repeated commit counts as done only under its own lease",
    file: "table/subscription.entity.ts",
    from: "row.next === to.next;\n    return { moved: !rejected || (sent > 1 && isThere && passesGuard(row, guard)), row };",
    to: "row.next === to.next;\n    return { moved: !rejected || (sent > 1 && isThere), row };",
    plan: CLOCK_BACK,
  },
  {
    rule: "a lease is believed for no longer when the clock of its reader is set back",
    file: "subscription/workers/until-plan.ts",
    from: "until: Math.min(before.until, latest), lookedMs",
    to: "until: before.until, lookedMs",
    plan: CLOCK_BACK,
  },
  {
    rule: "another filter leaves positions where they are",
    file: "table/subscription-lifecycle-rows.ts",
    from: ".set({ generation, ...(partition === 0 ? { configured } : {}) })",
    to: ".set({ generation, next: 1, batch: 0, ...(partition === 0 ? { configured } : {}) })",
    plan: { ...TEAM, failing: 0 },
  },
  {
    rule: "parked keys stay parked under another filter",
    file: "table/subscription-lifecycle-rows.ts",
    from: ".set({ generation, ...(partition === 0 ? { configured } : {}) })",
    to: '.set({ generation, ...(partition === 0 ? { configured } : {}) })\n            .remove(["parked"])',
    plan: TEAM,
  },
];
