import { CORRUPTIONS_OF_PARTS } from "./corruptions-of-parts.ts";
import type { EventRef, Failed, Info, Invoke, Line, Ok, ViolationName } from "./history.ts";
import { answersLost, numberAgain, readsOn, refusesAll, tellsElse } from "./made-up-restore.ts";

/**
 * Ways to corrupt a correct history, each with the name of the violation that must be reported. A
 * corruption returns undefined when the history contains nothing that it could corrupt.
 */
export type Corruption = {
  readonly name: ViolationName;
  readonly how: string;
  readonly spoil: (lines: readonly Line[]) => Line[] | undefined;
};

type Batch = Info & { op: "batch" };
type Read = Ok & { op: "read" };
type Published = Ok & { op: "publish" };
type Compacted = Info & { op: "compacted" };

const isBatch = (line: Line): line is Batch =>
  line.type === "info" && line.op === "batch" && line.seal === undefined;
const isRead = (line: Line): line is Read => line.type === "ok" && line.op === "read";
const isLogPage = (line: Line): line is Read => isRead(line) && line.phase === "log";
const isSnapshot = (line: Line): line is Read => isRead(line) && line.phase === "bootstrap";
const isPublished = (line: Line): line is Published => line.type === "ok" && line.op === "publish";
const isCheckpoint = (line: Line): line is Info & { op: "checkpoint" } =>
  line.type === "info" && line.op === "checkpoint";
const isCompacted = (line: Line): line is Compacted =>
  line.type === "info" && line.op === "compacted";
const isPublish = (line: Line): line is Invoke & { op: "publish" } =>
  line.type === "invoke" && line.op === "publish";

/** Returns the lines with the last matching line changed, replaced by several, or removed. */
function change<T extends Line>(
  lines: readonly Line[],
  fits: (line: Line) => line is T,
  suits: (line: T, index: number) => boolean,
  to: (line: T) => readonly Line[],
): Line[] | undefined {
  const index = lines.findLastIndex((line, at) => fits(line) && suits(line, at));
  const line = lines[index];
  if (line === undefined || !fits(line)) return undefined;
  return [...lines.slice(0, index), ...to(line), ...lines.slice(index + 1)];
}

/** Matches the last batch of its chain in the current life. */
const isLastOfChain = (lines: readonly Line[]) => (batch: Batch, index: number) =>
  !lines
    .slice(index + 1)
    .some(
      (line) =>
        line.type === "info" &&
        line.op === "batch" &&
        line.life === batch.life &&
        line.partition === batch.partition,
    );

const isAcknowledged = (lines: readonly Line[], { n }: EventRef): boolean => {
  const invoke = lines.find(
    (line) => isPublish(line) && line.events.some((event) => event.n === n),
  ) as Invoke | undefined;
  return lines.some((line) => isPublished(line) && line.call === invoke?.call);
};

/** Returns how many calls were made for the request of a call. */
function callsOfRequest(lines: readonly Line[], call: number): number {
  const own = lines.filter(isPublish).find((line) => line.call === call)?.events[0]?.n;
  return lines.filter((line) => isPublish(line) && line.events[0]?.n === own).length;
}

const healedAt = (lines: readonly Line[]): number =>
  lines.findIndex((line) => line.type === "info" && line.op === "healed");

/** Exchanges the events of two requests, so that the later one precedes the earlier one. */
function exchange(lines: readonly Line[], sameProcess: boolean): Line[] | undefined {
  const single = lines.filter(
    (line): line is Batch =>
      isBatch(line) &&
      line.events.length === 1 &&
      isAcknowledged(lines, line.events[0] as EventRef),
  );
  const alone = (ref: EventRef) => {
    const calls = lines.filter(
      (line) => isPublish(line) && line.events.some(({ n }) => n === ref.n),
    );
    const [call] = calls;
    const only = calls.length === 1 && isPublish(call as Line);
    return only && (call as Invoke & { op: "publish" }).events.length === 1 ? call : undefined;
  };
  for (const a of single) {
    for (const b of single) {
      if (a.life !== b.life || a.partition !== b.partition || a.first >= b.first) continue;
      const [of, and] = [alone(a.events[0] as EventRef), alone(b.events[0] as EventRef)];
      if (of === undefined || and === undefined) continue;
      if ((of.process === and.process) !== sameProcess) continue;
      return lines.map((line) => {
        if (line === a) return { ...a, events: b.events };
        if (line === b) return { ...b, events: a.events };
        if (isPublished(line) && line.call === (of as Invoke).call)
          return { ...line, sequences: [b.first] };
        if (isPublished(line) && line.call === (and as Invoke).call)
          return { ...line, sequences: [a.first] };
        return line;
      });
    }
  }
  return undefined;
}

export const CORRUPTIONS: readonly Corruption[] = [
  ...CORRUPTIONS_OF_PARTS,
  {
    name: "lost-write",
    how: "an acknowledged batch is not stored",
    spoil: (lines) =>
      change(
        lines,
        isBatch,
        (batch, at) =>
          isLastOfChain(lines)(batch, at) &&
          batch.events.some((event) => isAcknowledged(lines, event)),
        () => [],
      ),
  },
  {
    name: "duplicate",
    how: "a batch is stored once more after itself",
    spoil: (lines) =>
      change(lines, isBatch, isLastOfChain(lines), (batch) => [
        batch,
        { ...batch, first: batch.first + batch.events.length },
      ]),
  },
  {
    name: "torn-write",
    how: "the last event of a request is not stored",
    spoil: (lines) =>
      change(
        lines,
        isBatch,
        (batch, at) => isLastOfChain(lines)(batch, at) && batch.events.length > 1,
        (batch) => [{ ...batch, events: batch.events.slice(0, -1) }],
      ),
  },
  {
    name: "aborted-read",
    how: "a publish that landed was answered as refused",
    spoil: (lines) =>
      change(
        lines,
        isPublished,
        ({ call }) => callsOfRequest(lines, call) === 1,
        ({ sequences: _, ...line }) => [{ ...line, type: "fail", code: "stream-busy" }],
      ),
  },
  {
    name: "phantom-write",
    how: "an event is stored that no client published",
    spoil: (lines) =>
      change(lines, isBatch, isLastOfChain(lines), (batch) => [
        batch,
        {
          ...batch,
          first: batch.first + batch.events.length,
          events: [{ n: 999_999, key: "key-1" }],
        },
      ]),
  },
  {
    name: "receipt-mismatch",
    how: "a receipt names the next number",
    spoil: (lines) =>
      change(
        lines,
        isPublished,
        () => true,
        (line) => [{ ...line, sequences: line.sequences.map((sequence) => sequence + 1) }],
      ),
  },
  {
    name: "nonmonotonic-send",
    how: "two requests of one publisher stand in the wrong order",
    spoil: (lines) => exchange(lines, true),
  },
  {
    name: "realtime-order",
    how: "a request comes after one that was sent after its answer",
    spoil: (lines) => exchange(lines, false),
  },
  {
    name: "unasked-end",
    how: "a life is closed that no client asked to delete",
    spoil: (lines) => lines.filter((line) => line.type === "info" || line.op !== "delete"),
  },
  {
    name: "zombie-write",
    how: "a life had been deleted before its last event was sent",
    spoil: (lines) => {
      const ended = lines.filter(
        (line) => (line.type === "invoke" || line.type === "ok") && line.op === "delete",
      );
      const rest = lines.filter((line) => !ended.includes(line));
      return ended.length === 0
        ? undefined
        : [...ended.map((line) => ({ ...line, atMs: 0 })), ...rest];
    },
  },
  {
    name: "chain-gap",
    how: "a batch in the midst of a chain is gone",
    spoil: (lines) =>
      change(
        lines,
        isBatch,
        (batch, at) => !isLastOfChain(lines)(batch, at),
        () => [],
      ),
  },
  {
    name: "chain-mismatch",
    how: "another batch is stored under the same number",
    spoil: (lines) =>
      change(
        lines,
        isBatch,
        () => true,
        (batch) => [
          batch,
          { ...batch, events: batch.events.map((event) => ({ ...event, n: event.n + 500_000 })) },
        ],
      ),
  },
  {
    name: "write-past-seal",
    how: "a batch follows the end of a life",
    spoil: (lines) => {
      const seal = lines.find((line) => line.type === "info" && line.op === "batch" && line.seal);
      if (seal === undefined) return undefined;
      const { seal: _, ...batch } = seal as Batch;
      const late = { ...batch, events: [{ n: 888_888, key: "key-1" }] };
      return lines.flatMap((line) => (line === seal ? [line, late] : [line]));
    },
  },
  {
    name: "time-regress",
    how: "a batch was published before the one in front of it",
    spoil: (lines) =>
      change(
        lines,
        isBatch,
        ({ first }) => first > 1,
        (batch) => [{ ...batch, publishedAtMs: 1 }],
      ),
  },
  {
    name: "inconsistent-offsets",
    how: "a reader finds another event at a number",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        ({ events }) => events.length > 0,
        (page) => [
          { ...page, events: page.events.map(([n, sequence]) => [n, sequence + 1] as const) },
        ],
      ),
  },
  {
    name: "poll-skip",
    how: "a page leaves its first event out",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        ({ events }) => events.length > 0,
        (page) => [{ ...page, events: page.events.slice(1) }],
      ),
  },
  {
    name: "nonmonotonic-poll",
    how: "a page has an event twice",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        ({ events }) => events.length > 0,
        (page) => [
          {
            ...page,
            events: page.events.flatMap((event, at) => (at === 0 ? [event, event] : [event])),
          },
        ],
      ),
  },
  {
    name: "stale-read",
    how: "a page in the midst claims to be caught up",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        (page, at) => at < healedAt(lines) && !page.caughtUp && isBehind(lines, page, at),
        (page) => [{ ...page, caughtUp: true }],
      ),
  },
  {
    name: "unseen",
    how: "after all faults a page claims to be caught up too early",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        (page, at) => at > healedAt(lines) && !page.caughtUp && isBehind(lines, page, at),
        (page) => [{ ...page, caughtUp: true }],
      ),
  },
  {
    name: "cross-uid",
    how: "a page holds an event of a former life",
    spoil: (lines) => {
      const former = lines.find(isBatch)?.events[0]?.n;
      return change(
        lines,
        isLogPage,
        ({ life, events }) => life === "life-2" && events.length > 0,
        (page) => [
          {
            ...page,
            events: page.events.map(([n, at], index) => [index ? n : (former ?? n), at] as const),
          },
        ],
      );
    },
  },
  {
    name: "cross-uid",
    how: "a cursor of one life goes on in the next",
    spoil: (lines) => {
      const isNext = (line: Line) => "session" in line && line.session === "follower-2";
      if (!lines.some((line) => isLogPage(line) && line.process === "follower-2")) return undefined;
      return lines
        .filter((line) => !(isNext(line) && line.type === "info" && line.op === "begin"))
        .map((line) => {
          if (!isNext(line)) return line;
          const cursor = line.type === "invoke" && line.op === "read" ? { after: [] } : {};
          return { ...cursor, ...line, session: "follower-1" } as Line;
        });
    },
  },
  {
    name: "offset-regress",
    how: "a stored position falls",
    spoil: (lines) =>
      change(
        lines,
        (line): line is Info & { op: "offset" } => line.type === "info" && line.op === "offset",
        ({ next }) => next > 1,
        (line) => [line, { ...line, next: line.next - 1 }],
      ),
  },
  {
    name: "future-commit",
    how: "a stored position lies after the end",
    spoil: (lines) =>
      change(
        lines,
        (line): line is Info & { op: "offset" } => line.type === "info" && line.op === "offset",
        () => true,
        (line) => [{ ...line, next: 99_999 }],
      ),
  },
  {
    name: "bootstrap-mismatch",
    how: "a snapshot leaves a key out",
    spoil: (lines) =>
      change(
        lines,
        isSnapshot,
        ({ events }) => events.length > 0,
        (page) => [{ ...page, events: page.events.slice(1) }],
      ),
  },
  {
    name: "bootstrap-extra",
    how: "a snapshot holds a key twice",
    spoil: (lines) =>
      change(
        lines,
        isSnapshot,
        ({ events }) => events.length > 0,
        (page) => [{ ...page, events: [...page.events, ...page.events.slice(0, 1)] }],
      ),
  },
  {
    name: "pin-broken",
    how: "a bootstrap cannot read on",
    spoil: (lines) =>
      change(
        lines,
        isLogPage,
        ({ subscription }) => subscription?.includes("true") === true,
        ({ atMs, process, call, op }) => [
          { atMs, process, call, op, type: "fail", code: "retention-passed" },
        ],
      ),
  },
  {
    name: "early-retention",
    how: "the floor passes events that are young",
    spoil: (lines) =>
      change(
        lines,
        isCompacted,
        ({ checkpoint }) => checkpoint > 1,
        (line) => [{ ...line, floor: line.checkpoint }],
      ),
  },
  {
    name: "key-regress",
    how: "a key has no row",
    spoil: (lines) =>
      change(
        lines,
        isCompacted,
        ({ rows }) => rows.some(([, , dead]) => !dead),
        (line) => [{ ...line, rows: line.rows.filter(([, , dead]) => dead) }],
      ),
  },
  {
    name: "resurrected-key",
    how: "a deleted key has the row of an earlier event",
    spoil: (lines) => {
      const earlier = (life: string, key: string, before: number): number | undefined => {
        const batches = lines.filter((line): line is Batch => isBatch(line) && line.life === life);
        for (const { first, events } of batches) {
          const at = events.findIndex((event) => event.key === key && event.dead === undefined);
          if (at >= 0 && first + at < before) return first + at;
        }
        return undefined;
      };
      return change(
        lines,
        isCompacted,
        ({ life, rows }) =>
          rows.some(([key, sequence, dead]) => dead && earlier(life, key, sequence) !== undefined),
        (line) => [
          {
            ...line,
            rows: line.rows.map(([key, sequence, dead]) => {
              const former = dead ? earlier(line.life, key, sequence) : undefined;
              return former === undefined
                ? ([key, sequence, dead] as const)
                : ([key, former, false] as const);
            }),
          },
        ],
      );
    },
  },
  {
    name: "checkpoint-regress",
    how: "a checkpoint goes back",
    spoil: (lines) =>
      change(
        lines,
        isCheckpoint,
        ({ checkpoint }) => checkpoint > 1,
        (line) => [line, { ...line, checkpoint: 1 }],
      ),
  },
  {
    name: "unarchived",
    how: "the floor passes the archive watermark",
    spoil: (lines) =>
      change(
        lines,
        isCheckpoint,
        ({ checkpoint }) => checkpoint > 1,
        (line) => [line, { ...line, floor: line.checkpoint, archivedTo: 1 }],
      ),
  },
  {
    name: "unarchived",
    how: "a batch is removed that is not archived",
    spoil: (lines) =>
      change(
        lines,
        isCheckpoint,
        ({ checkpoint }) => checkpoint > 1,
        ({ checkpoint: _, op: __, ...line }) => [
          { ...line, op: "removed", next: 2, floor: 2, archivedTo: 1 },
        ],
      ),
  },
  {
    name: "stale-compaction",
    how: "a compaction was done, and the checkpoint is before what was durable before it",
    spoil: (lines) =>
      change(
        lines,
        isCompacted,
        ({ checkpoint }) => checkpoint > 1,
        (line) => [{ ...line, checkpoint: 1, rows: [] }],
      ),
  },
  {
    name: "internal-error",
    how: "a call ends with an error that has no name",
    spoil: (lines) =>
      change(
        lines,
        isPublished,
        () => true,
        ({ sequences: _, ...line }) => [{ ...line, type: "unknown", code: "internal: TypeError" }],
      ),
  },
  {
    name: "broken-expectation",
    how: "a publisher expected another event than the one that its own follows",
    spoil: (lines) =>
      change(
        lines,
        isPublish,
        (line) => isExpecting(line) && isAcknowledged(lines, line.events[0] as EventRef),
        (line) => [{ ...line, events: expectOther(line.events) }],
      ),
  },
  {
    name: "false-mismatch",
    how: "a publisher is refused for a sequence that its key never had",
    spoil: (lines) =>
      change(
        lines,
        (line): line is Failed => line.type === "fail" && line.mismatches !== undefined,
        () => true,
        (line) => [
          {
            ...line,
            mismatches: (line.mismatches ?? []).map((each) => ({ ...each, sequence: 999 })),
          },
        ],
      ),
  },
  {
    name: "number-reuse",
    how: "a restore goes on with the number of a lost event",
    spoil: numberAgain,
  },
  {
    name: "silent-restore",
    how: "a reader of a lost event reads on after a restore",
    spoil: readsOn,
  },
  {
    name: "wrong-refusal",
    how: "a reader of nothing that is lost is refused after a restore",
    spoil: refusesAll,
  },
  {
    name: "wrong-refusal",
    how: "a reader of a lost event gets another reason",
    spoil: tellsElse,
  },
  {
    name: "receipt-mismatch",
    how: "a retry after a restore is answered with what is lost",
    spoil: answersLost,
  },
];

const isExpecting = ({ events }: Invoke & { op: "publish" }): boolean =>
  events.some(({ expected }) => expected !== undefined);

const expectOther = (events: readonly EventRef[]): EventRef[] =>
  events.map((event) => (event.expected === undefined ? event : { ...event, expected: 999 }));

/** Returns whether an event that was acknowledged before a page was requested comes after it. */
function isBehind(lines: readonly Line[], page: Read, at: number): boolean {
  const asked = lines.findIndex((line) => line.type === "invoke" && line.call === page.call);
  return page.to.some((to, partition) =>
    lines
      .slice(0, Math.min(asked, at))
      .some(
        (line) =>
          isBatch(line) &&
          line.life === page.life &&
          line.partition === partition &&
          line.events.some(
            (event, offset) =>
              line.first + offset >= to && isAcknowledged(lines.slice(0, asked), event),
          ),
      ),
  );
}
