import { NEVER_ENTERED_COMPACTION } from "./never-entered-compaction.ts";
import { NEVER_ENTERED_LOG } from "./never-entered-log.ts";
import type { Reason } from "./reason.ts";

/**
 * Every block of appending, reading, compacting and bootstrapping that the simulation does not
 * reach.
 */
export const NEVER_ENTERED: readonly Reason[] = [
  ...NEVER_ENTERED_LOG,
  ...NEVER_ENTERED_COMPACTION,
  {
    why: "The type requires it, although the value is never missing.",
    blocks: [
      "snapshot/scan-plan.ts: ?? 1",
      "log/append/append-plan.ts: ?? []",
      "log/append/append-plan.ts: ?? new Uint8Array()",
      "log/append/queue.ts: return [];",
      "log/append/attempt.ts: ?? 0",
      "log/append/attempt.ts: return false;",
      "log/read/page-cut.ts: ?? []",
      "log/append/request.ts: return undefined;",
      "log/append/append.ts: () => {}",
      "log/append/conclusion.ts: : []",
      "snapshot/page-plan.ts: ?? []",
      "log/read/read.ts: ?? edgeAt(1)",
      "compaction/doorbell.ts: ?? {}",
    ],
  },
  {
    why: "The end of a loop that always returns earlier, as V8 counts it.",
    blocks: ["compaction/repair.ts: ", "log/append/request.ts: }", "log/read/read-run.ts: "],
  },
  {
    why: "An assertion about the product's own plans: entered only by a mistake in them.",
    blocks: [
      "log/append/append-plan.ts: throw new RangeError(`The end of partition",
      'log/append/append-plan.ts: throw new RangeError("The batches hold fewer',
      'log/append/request.ts: throw new RangeError("A receipt covers fewer',
      "log/append/conclusion.ts: ends.forget(life, plan.ends.keys());",
    ],
  },
  {
    why: "Damage to what is stored, which the simulated table does not do. test/simulation/models/log-read.test.ts and packages/core/src/log/codec.test.ts do it.",
    blocks: [
      "log/codec.ts: catch (error) { throw new InvariantError(`batch",
      "log/codec.ts: default: throw new InvariantError(`this version does",
      'compaction/try-compact.ts: return error instanceof InvariantError ? "invariant"',
      'compaction/try-compact.ts: : "internal"',
    ],
  },
  {
    why: "Large batches, pages and states: a seed has small events and at most eight keys. The contract suites and test/integration have large ones.",
    blocks: [
      "snapshot/scan-plan.ts: && !(page.empty && taken.length === 0)",
      "snapshot/scan-plan.ts: return stopped(true);",
      "snapshot/page-plan.ts: return [];",
      "snapshot/page-plan.ts: return page;",
      "compaction/compact.ts: return;",
      "compaction/compact-section.ts: || section.stop !== undefined",
      "compaction/removal.ts: { await count(0, 1); return { done: false",
      "compaction/removal.ts: await table.removals.count(life, uncounted);",
      "log/append/queue.ts: { throw tooManyRequests(); }",
      "log/codec.ts: : 1",
      'log/append/pack-partitions.ts: { throw new LedgerError("request-too-large"',
      "log/append/pack-partitions.ts: || drafts.length === 1",
      "log/append/pack-partitions.ts: : join(last, cut)",
      "log/append/pack-partitions.ts: else joined[joined.length - 1] = both;",
      "log/append/pack-partitions.ts: return cutEvenly(drafts, Math.max(2,",
    ],
  },
  {
    why: "Filters, prefixes, lists and lookups by type: no client of the simulation asks for them. test/simulation/models/subscription-filter.test.ts and the contract suites do.",
    blocks: [
      "snapshot/scan-plan.ts: ?.(row)",
      "snapshot/page-plan.ts: : ROWS_FIRST",
      "snapshot/page-plan.ts: : { isWanted: isWantedBy(matches) }",
      "snapshot/page-plan.ts: (row: CompactedRow) => { const event",
      "snapshot/bootstrap.ts: : { from: prefix }",
      "snapshot/bootstrap.ts: : { rows: rows.slice(0, outside)",
      "log/read/page-cut.ts: : cutPage(page, overflow)",
      "log/read/page-cut.ts: || matches(event)",
      "log/read/page-cut.ts: : []",
    ],
  },
  {
    why: "Events of the simulation have neither type, time nor an id, and one header at most.",
    blocks: [
      "compaction/compacted-event.ts: : { type }",
      "compaction/compacted-event.ts: : { time }",
      "compaction/compacted-event.ts: : { headers }",
      "log/codec.ts: : { type }",
      "log/codec.ts: : { time }",
      "log/append/request.ts: ([a], [b]) => (a < b ? -1 : 1)",
    ],
  },
  {
    why: "Cursors of a receipt or of a moment, and seeks to a number: test/simulation/models/places, test/integration/receipt-clocks.test.ts and the contract suites.",
    blocks: [
      "log/read/browse.ts: return log.placeOfTime(",
      "log/log.ts: const start = startOfChain(stream, partition); const end",
      "log/read/time-place.ts: export async function placeOfTime(",
      "log/read/time-place.ts: async function findEarliest(",
      "log/read/time-place.ts: async function mayHaveLost(",
      "log/read/time-place.ts: async function beforeTheLost(",
      'log/log.ts: if ("sequence" in place) return seekSequence(',
    ],
  },
  {
    why: "Long polls, and clients that go away: test/integration/long-poll.test.ts and test/simulation/models/long-poll-wake.test.ts.",
    blocks: [
      "log/notifier.ts: ?.aborted",
      "log/notifier.ts: stop();",
      "log/notifier.ts: ?.addEventListener",
      "log/notifier.ts: ?.removeEventListener",
      "log/notifier.ts: close(): void { closed = true;",
      "log/notifier.ts: () => closed",
      "log/notifier.ts: () => [...waiters.values()].reduce(",
      "log/read/new-events.ts: function hasAfter(",
      "log/read/new-events.ts: async ( life: Life, positions",
    ],
  },
  {
    why: "Streams of the simulation are compacted, and group commit is on. The contract suites and the benchmarks cover the other settings.",
    blocks: [
      'snapshot/bootstrap.ts: throw new LedgerError("not-compacted"',
      "compaction/repair.ts: : 0",
      "log/append/queue.ts: ? undefined",
    ],
  },
  {
    why: "Another publisher's batch is put or compacted just between two queries: few seeds do that. test/simulation/models/log-read.test.ts does it for reading.",
    blocks: ['compaction/section.ts: return "gap";', "log/read/lag.ts: return NONE;"],
  },
  {
    why: "The table fails four reads in a row just while a chain is being sealed: few seeds do that.",
    blocks: ["log/seal.ts: throw error;"],
  },
  {
    why: "All requests of a group are past their deadline just before its next attempt: few seeds do that.",
    blocks: ['log/append/attempt.ts: return { kind: "unsent", live: [] };'],
  },
  {
    why: "The checkpoint of a life is deleted half an hour after its last seal. A client that still asks has been away as long, and holds a name that is void after seconds.",
    blocks: [
      "snapshot/bootstrap.ts: throw streamNotFound();",
      "compaction/sweep.ts: return { ...result, floorMoved: false };",
      "compaction/try-compact.ts: return { events: 0, keys: 0, done: true",
      "log/read/checkpoint-memory.ts: throw streamNotFound();",
      "log/read/seek.ts: throw streamNotFound();",
    ],
  },
  {
    why: "One operator repairs at a time, and never a stream that is being deleted: recovery creates the stream again first.",
    blocks: ["compaction/repair.ts: continue;"],
  },
  {
    why: "One call would have to lose a race many times: the clients give up earlier.",
    blocks: [
      "snapshot/bootstrap.ts: function compactionMovedOn(): never",
      "log/seal.ts: function notClosed(): never",
      'log/seal.ts: throw new LedgerError("outcome-unknown", {',
    ],
  },
  {
    why: "The stream's row is read before the end, so its age is noticed first. Only a remembered end that turns a minute old between two lines comes here.",
    blocks: [
      "log/append/attempt.ts: ends.forget(life, known.keys()); return { kind",
      'log/append/send.ts: return "expired";',
    ],
  },
  {
    why: "The simulated table refuses no write of a seed for good: test/simulation/models/log-interlocks.test.ts has one that does.",
    blocks: ["log/append/send.ts: (error: unknown) => { // A refusal concerns only"],
  },
  {
    why: "The batch at the position of a reader or a sweep is removed between two reads of one call, or the floor moves exactly to the position of a reader: test/simulation/models/log-read.test.ts.",
    blocks: ["compaction/floor.ts: return false;", "log/read/read-run.ts: ? edgeAt(next)"],
  },
];
