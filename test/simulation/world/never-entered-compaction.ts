import type { Reason } from "./reason.ts";

/**
 * Blocks of compaction and of snapshots that no seed enters, of code that came with sizes, growth,
 * restores and differences.
 */
export const NEVER_ENTERED_COMPACTION: readonly Reason[] = [
  {
    why: "The type requires it, although the value is never missing.",
    blocks: [
      "compaction/compact-section.ts: ?? {}",
      "compaction/compact.ts: ?? 0",
      "compaction/removal.ts: ? 0",
      "compaction/restore.ts: ?? 0",
      "compaction/restore.ts: ?? nowMs",
      "compaction/state-size.ts: ?? 0",
      "snapshot/difference-plan.ts: ?? 1",
      "snapshot/difference.ts: : [0, 0]",
      "snapshot/difference.ts: ?? 1",
      "snapshot/difference.ts: ?? edgeAt(1)",
    ],
  },
  {
    why: "The end of a loop that always returns earlier, as V8 counts it.",
    blocks: ["compaction/list-changes.ts: ", "compaction/restore.ts: "],
  },
  {
    why: "Much at once: a seed has few events, all of them small, and few changes. test/integration/expected-cost.test.ts has many events after the checkpoint, test/simulation/models/archive has large objects and pages, and test/simulation/models/difference has lists of many runs.",
    blocks: [
      "compaction/change-plan.ts: (a, b) => a - b",
      "compaction/change-plan.ts: ?.[0]?.sequence",
      "compaction/change-plan.ts: ?.to",
      "compaction/change-plan.ts: return { chunks: group, level };",
      "compaction/change-plan.ts: { parts.push([change]); bytes = size; }",
      "compaction/compaction-plan.ts: ({ next }) => next <= to",
      "compaction/compaction-plan.ts: : { times: withBatchTimes(times, passed) }",
      "compaction/list-changes.ts: (chunk) => ({ ...chunk, level, run: last.to })",
      "compaction/list-changes.ts: (row) => (row === undefined ? [] : [unpackChanges(row)])",
      "compaction/list-changes.ts: ({ id }) => id",
      "compaction/list-changes.ts: : (wanted.at(-1)?.to ?? until)",
      "compaction/list-changes.ts: : inRange.slice(0, cut)",
      "compaction/list-changes.ts: { await table.changes.removeChunks(life, partition, put); return false; }",
      "compaction/list-changes.ts: { const [row] = await table.changes.loadChunks(",
      "compaction/list-changes.ts: const { chunks: group } = plan;",
      "compaction/list-often.ts: return floor;",
      "compaction/section.ts: return;",
      "compaction/section.ts: { large.push({",
      "snapshot/difference-plan.ts: && !isEmpty",
      "snapshot/difference-plan.ts: return false;",
      "snapshot/difference-plan.ts: return undefined;",
      "snapshot/difference.ts: return change.sequence;",
      "snapshot/scan-plan.ts: return [];",
    ],
  },
  {
    why: "More than 16 MiB after the checkpoint, or 200,000 changes in a list: no test writes as much.",
    blocks: ["compaction/change-plan.ts: return undefined;"],
  },
  {
    why: "The stream ends, a row goes or the end moves just between two reads of one call: few seeds do that. test/simulation/models/ended-meanwhile.test.ts ends streams at other places.",
    blocks: [
      "compaction/list-changes.ts: ? []",
      "compaction/list-changes.ts: return undefined;",
      "compaction/list-changes.ts: throw streamNotFound();",
      "compaction/recount.ts: return false;",
      "compaction/recount.ts: return;",
      "compaction/restore.ts: return true;",
      "compaction/sweep.ts: catch (error) { if (isGone(error)) continue;",
      "compaction/sweep.ts: continue;",
      "snapshot/difference.ts: throw streamNotFound();",
    ],
  },
  {
    why: "A restore of several streams, or of a copy that lacks rows in the middle of a chain: the simulated table has one stream, and a copy is a whole. test/integration/restore.test.ts, test/contract/restored.test.ts and packages/core/src/compaction/restore-plan.test.ts have them.",
    blocks: [
      "compaction/restore-plan.ts: : timesOf(before)",
      "compaction/restore-plan.ts: ? pastLoss(floor)",
      "compaction/restore-plan.ts: ?? []",
      "compaction/restore-plan.ts: return { expected: at, before: batch };",
      "compaction/restore-plan.ts: return { id, from, to: before.first, hole: true };",
      "compaction/restore.ts: && !mayGoOn()",
      "compaction/restore.ts: await table.receipts.remove(life, receipt);",
    ],
  },
  {
    why: "A restore whose time runs out, that another process has completed, or that comes after so many others that no numbers are left: no test does that.",
    blocks: [
      'compaction/restore-plan.ts: throw new LedgerError("numbering-at-risk",',
      "compaction/restore.ts: return false;",
      "compaction/restore.ts: return undefined;",
      "compaction/restore.ts: return;",
    ],
  },
  {
    why: "A restore of a copy from the middle of a change of partitions: few seeds do that. The regressions of the simulation have some.",
    blocks: [
      "compaction/restore.ts: ? await table.streams.turnTo(stream, stream.partitions)",
      "compaction/restore.ts: const from = startOfChain(stream, partition);",
      'compaction/restore.ts: { await endPartition(deps, stream.life, partition, "turn", { isChecked: true }); }',
    ],
  },
  {
    why: "A notice that names no batch, a call without a limit, a stream without compacted state, and a process without sightings: the simulation has none of them. test/contract/access/bounds.test.ts and test/simulation/models/compaction-rows.test.ts have them.",
    blocks: [
      'compaction/doorbell.ts: ?? ""',
      "compaction/doorbell.ts: return nothing;",
      "compaction/floor.ts: ?? 1",
      "compaction/repair.ts: () => true",
      "compaction/repair.ts: : {}",
    ],
  },
  {
    why: "The time of compaction is over before its end: clients of the simulation give it enough, except for repairs. test/simulation/models/compaction-trouble.test.ts has some of it.",
    blocks: [
      "compaction/compact-stream.ts: : Math.max(0, deps.clock.now() - oldest) / 1_000",
      "compaction/compact-stream.ts: const { next, checkpoint } = await loadEnd(",
      "compaction/compact.ts: return false;",
      "compaction/compact.ts: return { ...soFar, done: false };",
      "compaction/list-changes.ts: throw listingTakesLong();",
      "compaction/put-rows.ts: return;",
      'compaction/repair.ts: { if (!mayGoOn()) return { kind: "cut" };',
      "compaction/sweep.ts: return { ...total, stuck, done: false };",
      "compaction/sweep.ts: { done = false; return; }",
    ],
  },
  {
    why: "No process of the simulation observes compaction. All contract suites do.",
    blocks: [
      "compaction/compact-section.ts: ?.lag",
      "compaction/compact-section.ts: ?.rows",
      "compaction/compact.ts: ?.lag",
    ],
  },
  {
    why: "A time that is ahead by more than clocks may differ: test/simulation/models/wrong-clocks.test.ts.",
    blocks: ["compaction/compaction-plan.ts: ? 0"],
  },
  {
    why: "A row of an earlier version, or of another run, whose size is not known: no process of the simulation writes one. test/upgrade/old-rows.test.ts has rows of earlier versions.",
    blocks: [
      "compaction/recount.ts: return undefined;",
      "compaction/state-size.ts: return undefined;",
      "compaction/state-size.ts: return {};",
      "compaction/sweep.ts: await table.streams.nameTable(",
    ],
  },
  {
    why: "A stream grows by itself after minutes with more publishes than a seed has. test/simulation/models/growth/auto-growth.test.ts does it on a stream with one epoch and a table that answers.",
    blocks: [
      "compaction/grow.ts: : { epochs: stream.epochs }",
      "compaction/grow.ts: catch { return; }",
      "compaction/grow.ts: const row = { name, uid,",
      "compaction/grow.ts: if (turning !== undefined)",
      "compaction/growth-plan.ts: : undefined",
      "compaction/growth-plan.ts: const left = CHAINS_MAX",
      "compaction/growth-plan.ts: return undefined;",
    ],
  },
  {
    why: "A list that is a day old, or a difference that is asked for in parts: test/contract/difference.contract.ts asks for parts. test/integration/bootstrap-lifetimes.test.ts polls a bootstrap after a day.",
    blocks: [
      "snapshot/compacted-list.ts: throw listExpired();",
      'snapshot/compacted-list.ts: { throw invalidRequest("/query/parts",',
    ],
  },
  {
    why: "Events of the simulation have neither type nor time, and its differences have no filter. test/contract/difference.contract.ts and test/simulation/models/difference have them.",
    blocks: [
      "compaction/change-pack.ts: : { time: String(time) }",
      "compaction/change-pack.ts: : { type: String(type) }",
      "snapshot/difference-plan.ts: ?.(event)",
    ],
  },
  {
    why: "Cursors of a receipt or of a moment: test/integration/receipt-clocks.test.ts, test/simulation/models/places and the contract suites have them.",
    blocks: ["snapshot/since.ts: if (since === undefined)"],
  },
  {
    why: "A difference that stays open for a day, over a change of partitions, until its list begins later or its tombstones are gone: few seeds do that. test/simulation/models/difference-lifetimes.test.ts does.",
    blocks: [
      "snapshot/difference-plan.ts: ? undefined",
      "snapshot/difference-plan.ts: ?? 0",
      "snapshot/difference.ts: ?? edgeAt(startOfChain(stream, at))",
      "snapshot/difference.ts: throw bootstrapExpired();",
      "snapshot/difference.ts: throw changesPassed();",
      'snapshot/difference.ts: throw new LedgerError("store-unavailable",',
      "snapshot/difference.ts: throw new TurnReached();",
      "snapshot/difference.ts: { const { changes, to } = await readWindow(",
    ],
  },
  {
    why: "A repair of a partition with events that are not compacted: few seeds do that. test/simulation/models/compaction-rows.test.ts does.",
    blocks: [
      "compaction/repair.ts: async (row) => { assertYoung(clock, stamp);",
      "compaction/repair.ts: const of = { ...stream, partition, checkpoint, total: sum.events };",
      "compaction/repair.ts: return true;",
      'compaction/repair.ts: { const keepKeys = compaction === "key";',
    ],
  },
];
