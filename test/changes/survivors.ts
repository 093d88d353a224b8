import type { Survivor } from "./judge.ts";

const of = (file: string, reasons: Readonly<Record<string, string>>): Survivor[] =>
  Object.entries(reasons).map(([name, why]) => ({ file, name, why }));

const ONE_MORE = "one place more than there are holds no rows, and removing none changes nothing";
const FROM_THE_START = "what a page listed is gone by then, so the list begins with what is left";

/** The changes that no test notices, each with the reason why no test needs to. */
export const SURVIVORS: readonly Survivor[] = [
  ...of("packages/core/src/access/api-keys.ts", {
    "without: !done": "a key that was created is found with its hash, which costs one more read",
  }),
  ...of("packages/core/src/access/identify.ts", {
    "edge: now - noted < NOTE_EVERY_MS": "a use is recorded after an hour or a millisecond later",
    "without: row !== undefined": "the caller of this function refuses an absent row as well",
  }),
  ...of("packages/core/src/access/key-memory.ts", {
    "always: known.get(id) === asked":
      "a read that fails then also forgets a newer one, which costs one more read",
  }),
  ...of("packages/core/src/kernel/clock.ts", {
    "drop: work.catch(() => {});": "Promise.race handles a late rejection of the work as well",
  }),
  ...of("packages/core/src/subscription/workers/lease-plan.ts", {
    "never: free.length === 0":
      "without free rows, the place is NaN, and slices of nothing are empty",
  }),
  ...of("packages/core/src/compaction/floor.ts", {
    "never: planFloor(checkpoint, next, nowMs) === floor":
      "the search then finds the same floor, for the cost of its reads",
  }),
  ...of("packages/core/src/log/append/queue.ts", {
    "never: queue.waiting.length === 0 && queue.busy.size === 0":
      "the empty queue of a life stays in memory, one for each stream that the process wrote to",
  }),
  ...of("packages/core/src/log/read/lag.ts", {
    "swap: Math.max(1, last.count)":
      "no batch begins within another one, so the next read begins at the same batch",
  }),
  ...of("packages/core/src/operations/parts.ts", {
    "never: deps.waitingMax === undefined": "the queue replaces an undefined limit by its default",
  }),
  ...of("packages/core/src/subscription/poll/read-log.ts", {
    "never: parked.length + skipped.length === 0":
      "with nothing parked and nothing skipped, every event passes",
  }),
  ...of("packages/core/src/subscription/poll/wait.ts", {
    "never: mustEnd()": "a sleep on an aborted signal ends at once, and the same check follows it",
  }),
  ...of("packages/core/src/table/append-rows.ts", {
    "without: only !== undefined": "every append has at least one batch",
  }),
  ...of("packages/functions/src/http/docs/assets.ts", {
    "none: loaded.get(name)": "the file is read again, with the same content",
  }),
  ...of("packages/functions/src/http/formats/arbitrary-json.ts", {
    "never: isEmpty": "a generator for tests, which then makes no empty lists",
  }),
  ...of("packages/functions/src/http/routes/whoami.ts", {
    "never: keyPrefix === undefined": "JSON leaves out a member that is undefined",
  }),
  ...of("packages/core/src/log/append/attempt.ts", {
    "never: remembered !== undefined": "ends.load returns remembered ends as well, without a read",
  }),
  ...of("packages/core/src/log/append/claims.ts", {
    "swap: Math.max(known.row.claimFrom, known.examinedTo)":
      "the next search for the claim begins at an earlier place, for the cost of its reads",
  }),
  ...of("packages/core/src/log/append/pack-partitions.ts", {
    "swap: Math.max(2, Math.ceil(bytes / CUT_BYTES))":
      "parts that do not fit are cut again, and neighbours that fit together are joined",
  }),
  ...of("packages/core/src/log/read/foreign-cursor.ts", {
    "without: stream.restored === undefined":
      "a stream without a restore has no restore after the cursor's either, and the other clause holds",
  }),
  ...of("packages/core/src/operations/parking.ts", {
    "open beginning: /^(\\d{1,2})\\.(\\d{1,15})$/":
      "the list continues at the place that the text ends with, and its caller may see every place",
  }),
  ...of("packages/core/src/subscription/position/commit.ts", {
    "edge: bootstrap.scan < present.scan":
      "a cursor at the committed place of the snapshot leads to the same page as that place",
  }),
  ...of("packages/core/src/subscription/position/progress.ts", {
    "without: bootstrap === undefined": "isExact is true without a bootstrap, so nothing is added",
  }),
  ...of("packages/core/src/subscription/position/seek.ts", {
    "always: !isInSnapshot(bootstrap)":
      "a snapshot's cursor has its positions, and those of one that has not begun are never read",
  }),
  ...of("packages/core/src/table/offset.entity.ts", {
    "never: isPending(bootstrap)":
      "the other parts of a pending snapshot are empty, and absent parts are read as empty",
  }),
  ...of("packages/functions/src/http/openapi/schemas.ts", {
    'never: way === "sent" && differing.has(id)':
      "every schema is at present the same in requests and in answers",
  }),
  ...of("packages/core/src/compaction/compact-stream.ts", {
    "never: remaining === 0 (2)":
      "another process may have compacted the rest meanwhile, and then the next call says so",
  }),
  ...of("packages/core/src/operations/subscriptions.ts", {
    'never: place === "bootstrap"': "ofBody returns every place that is a text as it is",
  }),
  ...of("packages/functions/src/sweeper.ts", {
    "edge: stuck.length > 0":
      "the handler runs in a bundle of its own, where test/infra/archive-operations.test.ts notices it",
  }),
  ...of("packages/core/src/compaction/removal.ts", {
    "never: sightings === undefined": "the ledger passes its sightings to every sweep",
    "edge: uncounted < least":
      "a note at exactly 500 rows or at the next page, of a count that operators look at",
    "edge: partition < job.partitions": ONE_MORE,
    "edge: partition < partitions": ONE_MORE,
    "edge: bucket < COMPACTED_BUCKETS": ONE_MORE,
    "drop: after = page.next ?? undefined;": FROM_THE_START,
    "none: page.next": FROM_THE_START,
  }),
];
