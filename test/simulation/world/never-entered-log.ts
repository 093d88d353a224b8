import type { Reason } from "./reason.ts";

/**
 * Blocks of appending and reading that no seed enters, of code that came with claims, epochs, the
 * archive and restores.
 */
export const NEVER_ENTERED_LOG: readonly Reason[] = [
  {
    why: "The type requires it, although the value is never missing.",
    blocks: [
      "log/append/append.ts: return;",
      "log/append/claim-plan.ts: ?? 1",
      "log/append/claims.ts: ?? 1",
      "log/append/claims.ts: return undefined;",
      "log/append/claims.ts: return;",
      "log/append/earlier-claims.ts: ?? from",
      "log/append/earlier-claims.ts: return undefined;",
      "log/append/end-memory.ts: return;",
      "log/append/expectations.ts: ?? NO_EVENT",
      "log/append/expectations.ts: ?? {}",
      "log/append/last-events.ts: ?? epoch.from",
      "log/append/request.ts: ?? 0",
      "log/append/tickets.ts: ?? 0",
      "log/cold/cold-read.ts: ?? 0",
      "log/cold/cold-read.ts: ?? segment?.firstAt",
      "log/cold/segments.ts: ?? 0",
      "log/growth.ts: ?? 0",
      "log/growth.ts: ?? old.from",
      "log/growth.ts: return false;",
      "log/read/page-cut.ts: ?? 0",
      "log/read/read.ts: ?? notRead(edgeAt(epoch.from))",
    ],
  },
  {
    why: "The end of a loop that always returns earlier, as V8 counts it.",
    blocks: [
      "log/append/last-events.ts: keys -= latest.size; tails.delete(name); }",
      "log/append/request.ts: } return undefined;",
    ],
  },
  {
    why: "An assertion about the product's own plans: entered only by a mistake in them.",
    blocks: ['log/append/append-plan.ts: throw new RangeError("A claim needs one batch");'],
  },
  {
    why: "Damage to an object of the archive, which the simulated bucket does not do. packages/core/src/log/cold/blocks.test.ts damages blocks.",
    blocks: [
      "log/cold/blocks.ts: catch (error) { if (error instanceof InvariantError) throw error;",
      'log/cold/blocks.ts: throw new InvariantError("its last line does not end");',
      "log/cold/segments.ts: { throw new InvariantError(`the object of segment",
    ],
  },
  {
    why: "Much at once: a seed has few events, all of them small, and few changes. test/integration/expected-cost.test.ts has many events after the checkpoint, test/simulation/models/archive has large objects and pages, and test/simulation/models/difference has lists of many runs.",
    blocks: [
      "log/cold/cold-read.ts: && first >= next + events",
      "log/cold/cold-read.ts: : after",
      "log/cold/cold-read.ts: ?.first",
      'log/cold/cold-read.ts: return stopAt("room");',
      "log/cold/segments.ts: ?.offset",
      "log/read/page-cut.ts: (event) => { bytes += printedBytes(event);",
      "log/read/page-cut.ts: : Math.max(1, over)",
      "log/read/page-cut.ts: let bytes = 0; const over",
    ],
  },
  {
    why: "More than 16 MiB after the checkpoint, or 200,000 changes in a list: no test writes as much.",
    blocks: [
      "log/append/last-events.ts: && tail.upto < end",
      "log/append/last-events.ts: { throw compactionLagging({ uncompactedBytesMax:",
    ],
  },
  {
    why: "Reading backwards, up to a place or one event, and lags of several readers: no client of the simulation asks for them. test/simulation/models/read-back.test.ts, test/simulation/models/export and the contract suites do.",
    blocks: [
      'log/cold/cold-read.ts: return stopAt("bound");',
      'log/cold/cold-read.ts: return { events, room: left, stop: { why: "bound", event } };',
      "log/log.ts: (life: Life, address: Address) =>",
      "log/log.ts: (life: Life, positions: readonly (Position | undefined)[], request: BackRequest)",
      "log/log.ts: (life: Life, readers: readonly (readonly Position[])[], epochs",
      "log/read/page-cut.ts: return page;",
      'log/read/read-plan.ts: return stopAt("bound");',
      "log/read/read-run.ts: { const run = { position, atEnd: true, nextPublishedAt: undefined, bounded: true }",
      "log/read/read.ts: { for (const [partition, run] of runs.entries()) {",
    ],
  },
  {
    why: "Seeks to a sequence or to a time: clients of the simulation seek to names and cursors. The contract suites, test/simulation/models/log-read.test.ts and test/integration/restore.test.ts have them.",
    blocks: [
      'log/log.ts: && "sequence" in place',
      "log/log.ts: && first < named.first",
      "log/log.ts: && first > named.first",
      "log/log.ts: ? epochWith(stream, place.sequence)",
      "log/log.ts: return edgeAt(end ?? from);",
      "log/log.ts: return edgeAt(from);",
      "log/log.ts: return seekTime(readDeps, life, partition, place.timeMs, end);",
      "log/read/seek.ts: && sequence > batch.first",
      "log/read/seek.ts: return edgeAt(end.next);",
      'log/read/seek.ts: throw invalidCursor("restored");',
      "log/read/seek.ts: throw new TurnReached();",
      "log/read/seek.ts: { throw invalidRequest( pointer,",
    ],
  },
  {
    why: "The search for a claim over many batches, or for one that is void: test/simulation/models/idempotency-claims.test.ts.",
    blocks: [
      "log/append/claims.ts: : known.row.expiresAt",
      "log/append/claims.ts: const claimFrom = Math.max(",
      "log/append/claims.ts: if (kept) held.set(",
      "log/append/claims.ts: return table.receipts.claim(life, row, verdict.found.claimId);",
    ],
  },
  {
    why: "A request with a claim is sent again just after a change of partitions, as other events or with a view of earlier epochs: few seeds do that. test/simulation/models/growth/live-growth.test.ts does some of it.",
    blocks: [
      "log/append/earlier-claims.ts: && !isVoid(row, clock.now())",
      "log/append/earlier-claims.ts: return row;",
      "log/append/earlier-claims.ts: throw new TurnReached();",
      "log/append/request.ts: throw new TurnReached();",
      'log/append/waiting.ts: () => item.reject(outcomeUnknown(new Error("claimed as one batch")))',
      "log/append/waiting.ts: { // The request was one batch when its key was claimed, and now it needs several.",
    ],
  },
  {
    why: "The table fails, or a publish passes its five seconds, just while the requests of a group are prepared: few seeds do that. test/simulation/models/log-lives.test.ts does it at one of these places.",
    blocks: [
      "log/append/attempt.ts: () => item.reject(error)",
      "log/append/attempt.ts: ?? []",
      "log/append/claim-plan.ts: ? at",
      "log/append/claims.ts: ? undefined",
      'log/append/claims.ts: return { ...done, state: "ready" };',
      "log/append/expectations.ts: () => undefined",
      'log/append/send.ts: return { kind: "unknown", cause, stamp };',
    ],
  },
  {
    why: "An expectation that a key was never published, which is wrong, or about a key without an event: few conditional publishes of a seed have it. The contract suites do.",
    blocks: ["log/append/expectation-plan.ts: ? null", "log/append/last-events.ts: ?? NO_EVENT"],
  },
  {
    why: "The stream ends, a row goes or the end moves just between two reads of one call: few seeds do that. test/simulation/models/ended-meanwhile.test.ts ends streams at other places.",
    blocks: [
      "log/append/last-events.ts: throw streamNotFound();",
      "log/end.ts: throw streamNotFound();",
      "log/growth.ts: throw streamNotFound();",
      "log/read/lag.ts: ?.publishedAt",
      "log/seal.ts: return undefined;",
    ],
  },
  {
    why: "A cursor from before a restore that covers what the restore has lost, or of an epoch that it has undone: few seeds keep one for so long. test/integration/restore.test.ts and test/simulation/models/growth/growth-scenarios.test.ts have such cursors.",
    blocks: [
      "log/log.ts: return (await checkpoints.reload(life, partition)).lost ?? []",
      "log/read/foreign-cursor.ts: ?? 0",
      "log/read/foreign-cursor.ts: return undefined;",
      "log/read/foreign-cursor.ts: throw new TurnReached(); }",
      'log/read/read-plan.ts: return stopAt("lost");',
      "log/read/read-run.ts: && next >= floor",
      "log/read/read-run.ts: return { chain, position: edgeAt(next) };",
      'log/read/read-run.ts: throw invalidCursor("restored");',
    ],
  },
  {
    why: "The floor moves, an erasure replaces an object or a sweep removes it, just between the reads of a row and of its object: few seeds do that.",
    blocks: [
      'log/cold/cold-read.ts: return stopAt("missing");',
      "log/cold/cold-read.ts: { // An erasure may have replaced",
      "log/cold/segments.ts: return undefined;",
      "log/cold/segments.ts: { last.delete(nameOf(place)); return undefined; }",
      "log/read/read-run.ts: && events.length === 0",
      "log/read/read-run.ts: { const present = await checkpoints.reload(chain.life, partition);",
    ],
  },
  {
    why: "Cursors of a receipt or of a moment: test/integration/receipt-clocks.test.ts, test/simulation/models/places and the contract suites have them.",
    blocks: [
      "log/log.ts: (stream: Chains, partition: number, place: TimePlace)",
      "log/read/browse.ts: : { since }",
    ],
  },
];
