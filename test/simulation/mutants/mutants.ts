import { type Mutation, mutations } from "../models/mutations.ts";
import { DAY_MS, type Plan } from "../world/plan.ts";
import { ofArchive } from "./archive-mutants.ts";
import { ofErasures } from "./erasure-mutants.ts";
import { ofExpectations } from "./expectation-mutants.ts";
import { ofGrowth } from "./growth-mutants.ts";
import { ofLists } from "./list-mutants.ts";
import { ofMeters } from "./meter-mutants.ts";
import { ofPlaces } from "./places-mutants.ts";
import { ofPushes } from "./push-mutants.ts";
import { ofRestores } from "./restore-mutants.ts";
import { ofRetention } from "./retention-mutants.ts";
import {
  CLAIMS,
  COMPACTION,
  DELETIONS,
  EXPIRY,
  LISTS,
  LOST_ANSWERS,
  PLAIN,
  WRONG_CLOCKS,
} from "./situations.ts";
import { ofExits, ofSubscriptions } from "./subscription-mutants.ts";
import { ofKeys, ofTeams } from "./team-mutants.ts";

/**
 * A rule of the log, and the source without it. `plan` makes the situations that the rule is for
 * more frequent than usual. The product itself must pass the same plan.
 */
export type Mutant = Mutation & {
  readonly plan?: Partial<Plan>;
  /** The scenarios that are played instead of the simulation. They do not depend on a seed. */
  readonly by?:
    | "leases"
    | "bootstraps"
    | "parking"
    | "subscriptions"
    | "retention"
    | "reading"
    | "archive"
    | "exits"
    | "sizes"
    | "places"
    | "growth"
    | "frozen";
};

/** The plans for those mutants of compaction that the usual plans rarely kill. */
const plans: Readonly<Record<string, Partial<Plan>>> = {
  "strong page reads": {
    ...COMPACTION,
    store: { latencyMs: 2, staleMs: 5_000, scanMs: 0, commitMs: 0 },
  },
  "tombstones are kept": {
    ...COMPACTION,
    reaper: true,
    freezes: 6,
    freezesMs: [1_000, 4_000, 20_000],
    keys: 2,
    requests: 16,
    polls: 30,
  },
  "conditional checkpoint move": { ...COMPACTION, freezes: 6, freezesMs: [1_000, 4_000, 20_000] },
  "an update takes a tombstone's expiry away": {
    ...COMPACTION,
    tombstones: 0.5,
    keys: 2,
    phases: 3,
    leapsMs: [8 * DAY_MS, 12 * DAY_MS],
    retentionHours: 360,
    kills: 0,
    skewMs: 0,
  },
  "a part of a list ends where the next one begins": LISTS,
  "after the parts of a list the state is exact at the ends of the log": { ...LISTS, divides: 0.7 },
  "the floor stays below pins": {
    ...COMPACTION,
    retentionHours: 1,
    phases: 3,
    skewMs: 0,
    kills: 0,
    crashes: 0,
    seeks: 0,
    leapsMs: [2 * 3_600_000, 12 * 3_600_000],
  },
};

/**
 * Mutants that few seeds kill, because a process must end between two of many puts of one run.
 * Scenarios kill them.
 */
const toldAsStories: readonly string[] = [
  "the checkpoint moves on the way",
  "on the way only over events whose rows are put",
];

const ofTheLog: readonly Mutant[] = [
  {
    rule: "an undecided append goes to the same number again",
    file: "log/append/send.ts",
    from: "return again();",
    to: 'return "expired";',
  },
  {
    rule: "a batch with my id is my own",
    file: "log/append/append-plan.ts",
    from: 'if (mine) return { kind: "landed" };',
    to: "void mine;",
  },
  {
    rule: "a batch is put only where nothing is",
    file: "table/batch-wire.ts",
    from: "attribute_not_exists(#pk) AND attribute_not_exists(#sk)",
    to: "attribute_not_exists(#pk) OR attribute_exists(#sk)",
  },
  {
    rule: "a batch in a transaction is put only where nothing is",
    file: "table/append-rows.ts",
    from: ".create({ life: append.life, partition: item.partition, ...item.batch })",
    to: ".put({ life: append.life, partition: item.partition, ...item.batch })",
    plan: { partitions: 3, burst: 6, apis: 3, publishers: 5 },
  },
  {
    rule: "a receipt is put only where none is",
    file: "table/append-rows.ts",
    from: "receipt.create({ life: append.life, ...row })",
    to: "receipt.put({ life: append.life, ...row })",
  },
  {
    rule: "a claim is put only where none is",
    file: "table/receipt.entity.ts",
    from: "entity.create({ life, ...row }).go(options)",
    to: "entity.put({ life, ...row }).go(options)",
    plan: CLAIMS,
  },
  {
    rule: "no process goes on with a claim before having read the chain from its place on",
    file: "log/append/claims.ts",
    from: "held.set(request, { row: claimed, examinedTo });",
    to: "held.set(request, { row: claimed, examinedTo: end.next });",
    plan: CLAIMS,
  },
  {
    rule: "who lost a race reads what was written since before it tries again",
    file: "log/append/claims.ts",
    from: "let at = Math.min(...group.map(({ request }) => held.get(request)?.examinedTo ?? 1));",
    to: "let at: number = end.next;",
    plan: CLAIMS,
  },
  {
    rule: "a batch that stood in the way may settle the claim",
    file: "log/append/append-plan.ts",
    from: "...claims.flatMap((claim) => settledBy(claim, append, found)),",
    to: "",
    plan: CLAIMS,
  },
  {
    rule: "a batch names the claims that it settles",
    file: "log/append/append-plan.ts",
    from: "if (claims.length === 0) return batches;",
    to: "if (claims.length >= 0) return batches;",
    plan: CLAIMS,
  },
  {
    rule: "the same key with other events is refused before its events are there",
    file: "log/append/claims.ts",
    from: " || claimed.requestHash !== idempotency.requestHash",
    to: "",
    plan: { ...CLAIMS, impostors: 0.5 },
  },
  {
    rule: "throttling is no verdict",
    file: "table/append-rows.ts",
    from: 'return { kind: "unknown", cause: error };',
    to: 'return { kind: "cancelled", batches: [undefined], receipts: [] };',
  },
  {
    rule: "a transaction conflict is no verdict",
    file: "table/transaction.ts",
    from: 'if (verdict) return { kind: "cancelled", reasons: data };',
    to: 'if (verdict || !verdict) return { kind: "cancelled", reasons: data };',
    plan: {
      ...LOST_ANSWERS,
      partitions: 3,
      burst: 6,
      keys: 8,
      writeFaults: { "error-after": 0.3, conflict: 0.3 },
    },
  },
  {
    rule: "an answer is believed for a minute only",
    file: "log/append/send.ts",
    from: "const old = isOld(grounds);",
    to: "const old = false;",
    by: "frozen",
  },
  {
    rule: "a remembered end is void after a minute",
    file: "log/append/end-memory.ts",
    from: "export const MEMORY_MS = MINUTE_MS;",
    to: "export const MEMORY_MS = 60_000_000_000;",
    plan: { ...EXPIRY, apis: 2, sweepers: 1 },
  },
  {
    rule: "nothing is published where the end was not checked for 30 days",
    file: "log/guard.ts",
    from: "  assertNumbered(end.checkpoint, nowMs);\n  assertNotStalled(end, nowMs);\n}",
    to: "  void end;\n  void nowMs;\n}",
    plan: { ...EXPIRY, sweepers: 0, doorbell: false },
  },
  {
    rule: "the end is not below the checkpoint",
    file: "log/end.ts",
    from: "isBelow(last, checkpoint.next) ? checkpoint.next : endAfter(last)",
    to: "endAfter(last)",
    plan: { ...EXPIRY, sweepers: 1, browsers: 0 },
  },
  {
    rule: "the times of the last batch count, however late it is seen",
    file: "log/end.ts",
    from: "if (endAfter(last) < checkpoint.next)",
    to: "if (endAfter(last) < 0)",
    plan: {
      doorbell: true,
      sweepers: 2,
      skewMs: 2_000,
      apis: 3,
      publishers: 5,
      requests: 12,
      partitions: 2,
      keyed: 0,
      kills: 0,
      freezes: 0,
      burst: 1,
      store: { latencyMs: 60, staleMs: 0, scanMs: 50, commitMs: 4 },
    },
  },
  {
    rule: "publication times never fall",
    file: "log/append/append-plan.ts",
    from: "Math.max(nowMs, end.publishedAt)",
    to: "nowMs",
  },
  {
    rule: "expiry times never fall",
    file: "log/append/append-plan.ts",
    from: "Math.max(Math.ceil((publishedAt + keepMs) / 1_000), end.expiresAt)",
    to: "Math.ceil((nowMs + keepMs) / 1_000)",
  },
  {
    rule: "the same key with other events is refused",
    file: "log/append/waiting.ts",
    from: "if (row.requestHash !== idempotency.requestHash) {",
    to: "if (row.requestHash === undefined) {",
    plan: { ...CLAIMS, partitions: 3, burst: 6, impostors: 0.5 },
  },
  {
    rule: "a run of a page is contiguous",
    file: "log/read/read-plan.ts",
    from: 'if (batch.first !== expected) return stopAt("gap");',
    to: "if (batch.first !== expected) next = batch.first;",
    plan: {
      followers: 3,
      polls: 25,
      publishers: 5,
      requests: 20,
      keyed: 0,
      partitions: 1,
      burst: 1,
      kills: 0,
      freezes: 0,
      deletes: 0,
      crashes: 0,
      phases: 1,
      store: { latencyMs: 2, staleMs: 0, scanMs: 50, commitMs: 0 },
    },
  },
  {
    rule: "absence is believed from strong reads only",
    file: "table/batch-wire.ts",
    from: "ConsistentRead: true,",
    to: 'ConsistentRead: order === "desc",',
    plan: { store: { latencyMs: 2, staleMs: 2_000, scanMs: 0, commitMs: 0 }, followers: 2 },
  },
  {
    rule: "a page that is full is not the end",
    file: "log/read/read-run.ts",
    from: 'const ranOut = plan.stop === "end" && !rows.more;',
    to: 'const ranOut = plan.stop === "end";',
    plan: { publishers: 5, requests: 15, burst: 1, partitions: 1, followers: 2, polls: 10 },
  },
  {
    rule: "what has expired is not the end",
    file: "log/read/read-run.ts",
    from: "(ranOut && position.next < chain.next)) {",
    to: "(ranOut && position.next < 0)) {",
    by: "reading",
  },
  {
    rule: "where the end was not checked for 30 days no place is the end",
    file: "log/read/read-run.ts",
    from: "clock.now() - checkedAt <= PHYSICAL_SLACK_MS;",
    to: "clock.now() >= 0 || checkedAt <= PHYSICAL_SLACK_MS;",
    plan: { ...EXPIRY, sweepers: 0, doorbell: false, followers: 2 },
  },
  {
    rule: "a gap is damage only where the floor is kept up",
    file: "log/read/read-run.ts",
    from: "clock.now() - floorAt > FLOOR_STALE_MS;",
    to: "clock.now() < 0 && floorAt > FLOOR_STALE_MS;",
    by: "reading",
  },
  {
    rule: "what a batch gives back is asked for again",
    file: "table/in-part.ts",
    from: "if (unprocessed.length === 0) break;",
    to: "if (unprocessed.length >= 0) break;",
    plan: { sweepers: 2, readFaults: { unprocessed: 0.3 } },
  },
  {
    rule: "by another's clock an event goes as much later as clocks may be apart",
    file: "compaction/floor.ts",
    from: "keptSince - CLOCKS_APART_MS);",
    to: "keptSince);",
    plan: WRONG_CLOCKS,
  },
  {
    rule: "what a process has seen counts from when it saw it",
    file: "model/sightings.ts",
    from: "mark.atMs <= atMs)",
    to: "mark.atMs >= 0)",
    plan: WRONG_CLOCKS,
  },
  {
    rule: "a deletion closes every chain",
    file: "stream/streams.ts",
    from: "await sealPartition(life, partition);",
    to: "void partition;",
    plan: DELETIONS,
  },
  {
    rule: "a deletion ends only the life that it was for",
    file: "table/lifecycle-rows.ts",
    from: `return \`\${isLive} AND \${isAtEpoch(stored, operations, row)}\`;
          })
          .commit(),
        directory.delete`,
    to: 'return operations.ne(stored.uid, "no-such");\n          })\n          .commit(),\n        directory.delete',
    plan: { ...DELETIONS, writeFaults: { "timeout-late": 0.3 } },
  },
  {
    rule: "a remembered stream is void after seconds",
    file: "stream/live-streams.ts",
    from: "const MEMORY_MS = 5_000;",
    to: "const MEMORY_MS = 5_000_000;",
    plan: {
      ...DELETIONS,
      browsers: 6,
      browseAnew: 0.7,
      polls: 120,
      requests: 4,
      publishers: 3,
      followers: 0,
      bootstrappers: 0,
      sweepers: 0,
      doorbell: false,
      keyed: 0,
      burst: 6,
      partitions: 1,
      phases: 1,
    },
  },
  {
    rule: "a cursor is bound to its life",
    file: "subscription/position/own-cursor.ts",
    from: "if (isOwn && isOfNow) return;",
    to: "if (state !== undefined) return;",
    plan: { ...DELETIONS, oldCursors: 1, polls: 20 },
  },
  {
    rule: "data of an ended life stays for a while",
    file: "compaction/removal.ts",
    from: "const REST_MS = 30 * MINUTE_MS;",
    to: "const REST_MS = 0;",
    plan: {
      ...DELETIONS,
      sweepers: 3,
      keyed: 0,
      skewMs: 0,
      patienceMs: 60_000,
      writeFaults: { "timeout-late": 0.15, "timeout-before": 0.15 },
    },
  },
  {
    rule: "a subscription begins only in a life that goes on",
    file: "table/subscription-lifecycle-rows.ts",
    from: `\${eq(stored.uid, row.streamUid)} AND \${eq(stored.status, "live")}`,
    to: `\${eq(stored.name, row.stream)}`,
    plan: {
      ...DELETIONS,
      followers: 4,
      bootstrappers: 0,
      polls: 12,
      sweepers: 0,
      skewMs: 0,
      writeFaults: { "timeout-late": 0.4 },
    },
  },
  {
    rule: "a commit never goes back",
    file: "table/subscription.entity.ts",
    from: `\${eq(row.generation, to.generation)} AND \${lt(row.next, to.next)}`,
    to: `\${eq(row.generation, to.generation)} AND \${lt(row.partition, to.next + 100)}`,
    plan: { followers: 3, polls: 12, crashes: 0.5, publishers: 4, requests: 8 },
  },
  {
    rule: "a commit is of the present generation",
    file: "table/subscription.entity.ts",
    from: `\${eq(row.generation, to.generation)} AND \${lt(row.next, to.next)}`,
    to: `\${lt(row.next, to.next)}`,
    plan: {
      followers: 3,
      polls: 16,
      seeks: 0.3,
      publishers: 3,
      requests: 8,
      apis: 3,
      writeFaults: { "timeout-late": 0.3 },
    },
  },
  {
    rule: "a run reads its section once and compacts all of it",
    file: "compaction/compact-section.ts",
    from: "(await moveTo(whole))",
    to: "(await moveTo({ ...whole, to: Math.max(section.to, end.next + 1) }))",
  },
];

const ofLeases: readonly Mutant[] = [
  {
    rule: "a worker's commit needs the token of the row",
    file: "table/offset.entity.ts",
    from: "if (guard.token !== undefined) return eq(row.token, guard.token);",
    to: "if (guard.token !== undefined) return lte(row.token, 1e9);",
  },
  {
    rule: "a commit of no worker needs that no lease is held",
    file: "table/offset.entity.ts",
    from: "lte(row.until, guard.nowMs)",
    to: "lte(row.until, 1e15)",
  },
  {
    rule: "a commit under a lease that is lost is refused, not stale",
    file: "table/offset.entity.ts",
    from: "return lease?.token === guard.token;",
    to: "return lease !== undefined;",
  },
  {
    rule: "a live lease is not taken",
    file: "table/lease-rows.ts",
    from: "lte(row.until, nowMs)",
    to: "lte(row.until, 1e15)",
  },
  {
    rule: "no lease holds for longer than one from when it is seen",
    file: "subscription/workers/until-plan.ts",
    from: "isLate ? latest : Math.min(stored, latest)",
    to: "isLate ? latest : stored",
  },
  {
    rule: "what was renewed since the last look holds, whatever its clock said",
    file: "subscription/workers/until-plan.ts",
    from: "stored <= nowMs && stored < soonest;",
    to: "stored <= nowMs && soonest > nowMs * 2;",
  },
  {
    rule: "a lease is taken as it was seen",
    file: "table/lease-rows.ts",
    from: "notExists(row.token) : eq(row.token, seen)",
    to: "notExists(row.token) : lte(row.token, 1e9)",
  },
  {
    rule: "every taking of a lease has a token of its own",
    file: "subscription/workers/leases.ts",
    from: "const token = nextCount(stream, row.lease?.token ?? 0);",
    to: "const token = Math.max(row.lease?.token ?? 0, nextCount(stream, 0));",
  },
  {
    rule: "a lease that is given up keeps its token",
    file: "table/lease-rows.ts",
    from: '.remove(["owner", "until"])',
    to: '.remove(["owner", "until", "token"])',
  },
  {
    rule: "what was read under a former lease counts for nothing",
    file: "subscription/poll/start.ts",
    from: "tokens[at] !== undefined && (cursor?.tokens === undefined || cursor.tokens[at] === tokens[at]);",
    to: "tokens[at] !== undefined;",
  },
];

const ofParking: readonly Mutation[] = [
  {
    rule: "freeing a key voids what was read while it was parked",
    file: "subscription/parking/parking-plan.ts",
    from: "releaseCount: parking.releaseCount + 1,",
    to: "releaseCount: parking.releaseCount,",
  },
  {
    rule: "a commit from before a key was freed changes nothing",
    file: "table/subscription.entity.ts",
    from: "const parked = isOrAbsent(row.releaseCount, operations, to.releaseCount);",
    to: "const parked = eq(row.generation, to.generation);",
  },
  {
    rule: "reading on from before a key was freed begins at what is committed",
    file: "subscription/poll/start.ts",
    from: "releaseCountOf(row) === (releaseCounts?.[at] ?? 0) ? positions[at] : row,",
    to: "releaseCountOf(row) >= 0 || releaseCounts !== undefined ? positions[at] : row,",
  },
  {
    rule: "a key is free only when its queue is read to what is committed",
    file: "subscription/parking/parking-plan.ts",
    from: "if (place.next >= row.next) return",
    to: "if (place.next >= 0) return",
  },
  {
    rule: "what is parked changes only at the committed offset",
    file: "table/parking-rows.ts",
    from: "const there = eq(row.next, next);",
    to: "const there = eq(row.generation, generation);",
  },
  {
    rule: "an event that is skipped stays withheld until it is committed",
    file: "subscription/parking/parking-plan.ts",
    from: "if (isPassed && isEmpty)",
    to: "if (isPassed || isEmpty)",
  },
  {
    rule: "a page is delivered by what is parked now",
    file: "subscription/poll/poll-plan.ts",
    from: "!noted && parking?.revision === before?.parking?.revision;",
    to: "!noted && (parking === undefined || parking.revision >= 0);",
  },
];

/** Every rule that is removed, one at a time. */
export const MUTANTS: readonly Mutant[] = [
  ...ofTheLog.map((mutant): Mutant => ({ ...mutant, plan: { ...PLAIN, ...mutant.plan } })),
  ...ofErasures,
  ...ofMeters,
  ...ofPlaces,
  ...ofExpectations,
  ...ofGrowth,
  ...ofLists,
  ...ofPushes,
  ...ofRestores,
  ...ofRetention,
  ...ofTeams,
  ...ofKeys,
  ...mutations.map((mutation): Mutant => {
    if (toldAsStories.includes(mutation.rule)) return { ...mutation, by: "bootstraps" };
    const plan = plans[mutation.rule] ?? COMPACTION;
    return { ...mutation, plan: { ...PLAIN, ...plan } };
  }),
  ...ofArchive,
  ...ofLeases.map((mutant): Mutant => ({ ...mutant, by: "leases" })),
  ...ofParking.map((mutant): Mutant => ({ ...mutant, by: "parking" })),
  ...ofSubscriptions.map((mutant): Mutant => ({ ...mutant, by: "subscriptions" })),
  ...ofExits.map((mutant): Mutant => ({ ...mutant, by: "exits" })),
];
