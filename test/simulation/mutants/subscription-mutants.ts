import type { Mutation } from "../models/mutations.ts";

/** The rules that free keys without waiting events, each with a mutant and its scenario. */
const ofFreedKeys: readonly Mutation[] = [
  {
    rule: "a commit frees only keys of which nothing waits",
    file: "subscription/parking/settle.ts",
    from: "event.sequence < parked.next ||",
    to: "event.sequence >= parked.next ||",
  },
  {
    rule: "a poll frees a key whose retried queue is empty",
    file: "subscription/poll/poll.ts",
    from: "if (countsDelivery(request) && queued.empty.length > 0) {",
    to: "if (countsDelivery(request) && queued.empty.length > 1_000) {",
  },
  {
    rule: "a page with nothing to tell withholds nothing of a key that waits for a commit alone",
    file: "subscription/poll/poll.ts",
    from: "const withheld = isFreeing ? deliveries",
    to: "const withheld = isFreeing && limit < 0 ? deliveries",
  },
  {
    rule: "what was skipped is left out by the log",
    file: "subscription/poll/read-log.ts",
    from: "(from.get(event.key) ?? Infinity) && !isSkipped(event);",
    to: "(from.get(event.key) ?? Infinity) && (!isSkipped(event) || true);",
  },
  {
    rule: "what was skipped is left out by a queue",
    file: "subscription/parking/queue.ts",
    from: "!skipped.has(event.sequence) &&",
    to: "(!skipped.has(event.sequence) || true) &&",
  },
  {
    rule: "a skip that is not passed takes no place among the parked keys",
    file: "subscription/parking/parking-plan.ts",
    from: "const waiting = parking.keys.length - ghostsOf(row).length;",
    to: "const waiting = parking.keys.length;",
  },
  {
    rule: "parking after the position says nothing of a queue",
    file: "subscription/parking/park.ts",
    from: "if (!isQueued || sequence < row.next) return poison;",
    to: "if (!isQueued || sequence < row.next + 1e9) return poison;",
  },
];

/** The rules for what a process remembers, each with a mutant. */
const ofMemories: readonly Mutation[] = [
  {
    rule: "a look that began earlier replaces nothing that is remembered",
    file: "kernel/memory.ts",
    from: "if (isNewest(name, of)) entries.set(name",
    to: "if (isNewest(name, of) || value !== undefined) entries.set(name",
  },
  {
    rule: "a look that began before a change of this process counts for nothing",
    file: "kernel/memory.ts",
    from: "order: ++actions, ...value });",
    to: "order: 0, ...value });",
  },
  {
    rule: "a change that is answered late is not what is remembered",
    file: "kernel/memory.ts",
    from: "known !== undefined && isNewest(name, known.of) ?",
    to: "known !== undefined ?",
  },
];

/** The rules for the answer to a commit and for reading on after it, each with a mutant. */
const ofCommits: readonly Mutation[] = [
  {
    rule: "who was overtaken reads on from its own cursor",
    file: "operations/polling.ts",
    from: "const isOlder = done.isOlder && request.after === undefined;",
    to: "const isOlder = done.isOlder && request.after !== undefined;",
  },
  {
    rule: "a reader that was overtaken and has missed something learns of it",
    file: "operations/polling.ts",
    from: "return { ...page, consistent: false };",
    to: "return { ...page };",
  },
  {
    rule: "a commit whose answer was lost has moved the position",
    file: "table/subscription.entity.ts",
    from: "row.generation === to.generation && row.next === to.next;",
    to: "row.generation === to.generation && row.next < to.next;",
  },
  {
    rule: "a commit that is void says what comes again",
    file: "subscription/position/commit-writes.ts",
    from: "to !== undefined && row.generation === to.generation && row.next < to.next;",
    to: "to !== undefined && row.generation === to.generation && row.next < 0;",
  },
  {
    rule: "what was read of a queue that has changed comes again",
    file: "subscription/parking/parking-plan.ts",
    from: "was?.includes(place.id) === true",
    to: "was?.includes(-place.id) === true",
  },
  {
    rule: "a poll that waits does not take back what its worker has left",
    file: "subscription/workers/leases.ts",
    from: "const hasLeft = before !== undefined && before.left !== left;",
    to: "const hasLeft = before !== undefined && before.hasLeft;",
  },
  {
    rule: "a cursor of the stream does not pass a snapshot that is not read",
    file: "subscription/poll/start.ts",
    from: "return { positions, bootstrap: shown ?? state.bootstrap };",
    to: "return { positions, bootstrap: shown };",
  },
];

/** The places that compare the token of a lease, each with a mutant. */
const ofTokens: readonly Mutation[] = [
  {
    rule: "a cursor of a lost share is refused, though it covers nothing new",
    file: "subscription/position/commit-lease.ts",
    from: "return token === undefined || token === lease?.token;",
    to: "return token === undefined || lease !== null;",
  },
  {
    rule: "a queue moves only under the lease it was read by",
    file: "subscription/position/commit-queues.ts",
    from: "await table.parking.change(place, present, to, { guard });",
    to: "await table.parking.change(place, present, to);",
  },
  {
    rule: "a lease is renewed only by who holds it",
    file: "table/lease-rows.ts",
    from: `.set({ until })\n        .where((row, { eq }) => \`\${eq(row.token, token)} AND \${eq(row.owner, owner)}\`)`,
    to: ".set({ until })\n        .where((row, { exists }) => exists(row.token))",
  },
  {
    rule: "a lease is given up only by who holds it",
    file: "table/lease-rows.ts",
    from: `.remove(["owner", "until"])\n        .where((row, { eq }) => \`\${eq(row.token, token)} AND \${eq(row.owner, owner)}\`)`,
    to: '.remove(["owner", "until"])\n        .where((row, { exists }) => exists(row.token))',
  },
];

/** The rules for what is trusted while a subscription is idle, each with a mutant. */
const ofIdlePolls: readonly Mutation[] = [
  {
    rule: "an idle subscription is trusted for 30 seconds at most",
    file: "subscription/known-subscriptions.ts",
    from: "Math.min(IDLE_MEMORY_MS, known.sameMs / SAME_PART)",
    to: "known.sameMs / SAME_PART",
  },
  {
    rule: "an idle subscription is trusted for a part of the time for which it has been the same",
    file: "subscription/known-subscriptions.ts",
    from: "const part = Math.min(IDLE_MEMORY_MS, known.sameMs",
    to: "const part = Math.min(IDLE_MEMORY_MS, known.sameMs * 1e9",
  },
  {
    rule: "an eventually consistent read confirms only the same positions",
    file: "subscription/known-subscriptions.ts",
    from: "isKnown && isDeepStrictEqual(seen, offsets)",
    to: "isKnown && seen.length === offsets.length",
  },
  {
    // Either limit alone suffices, because no row expires within an hour.
    rule: "an end is quiet only shortly after a look",
    file: "log/read/quiet-ends.ts",
    from: "ageMs(clock, known.stamp) < LOOK_GAP_MS &&\n        ageMs(clock, known.since) < CHECKPOINT_MS;",
    to: "ageMs(clock, known.stamp) >= 0;",
  },
];

export const ofSubscriptions: readonly Mutation[] = [
  ...ofFreedKeys,
  ...ofMemories,
  ...ofCommits,
  ...ofTokens,
  ...ofIdlePolls,
];

/** The mutants that the exploration of all short histories of parking kills by itself. */
export const ofExits: readonly Mutation[] = [
  {
    rule: "a skip leads out of a retry whose event has expired",
    file: "subscription/parking/release-plan.ts",
    from: "if (earliest.next > next) return earliest;",
    to: "if (earliest.next > next && !retrying) return earliest;",
  },
  {
    rule: "a commit that passes what was skipped frees its key",
    file: "subscription/parking/settle.ts",
    from: "retrying && from < next && next <= row.next;",
    to: "retrying && from < next && next < 0 && row.next > 0;",
  },
];
