import type { Chains, Place, Report } from "./chains.ts";
import type { EventRef, Failed, Line, Mismatch } from "./history.ts";

type Publish = Line & { readonly type: "invoke"; readonly op: "publish" };

/** The earliest and the latest moment at which an event may have been written. */
type Written = { readonly fromMs: number; readonly byMs: number };

/** A key's last event until the next event of the key is written. */
type Reign = Written & { readonly sequence: number; readonly dead: boolean };

/**
 * Checks conditional publishes. An event that was written must directly follow the event that its
 * publisher expected. A refusal must be justified by what the log held in the meantime.
 */
export function checkExpectations(lines: readonly Line[], chains: Chains, report: Report): void {
  const calls = new Map<number, Publish>();
  const expected = new Map<number, number>();
  const moments = momentsOf(lines);
  for (const line of lines) {
    if (line.type !== "invoke" || line.op !== "publish") continue;
    if (line.events.every((event) => event.expected === undefined)) continue;
    calls.set(line.call, line);
    for (const event of line.events) {
      if (event.expected !== undefined) expected.set(event.n, event.expected);
    }
  }
  if (calls.size === 0) return;
  const reigns = checkWritten(chains, { expected, moments }, report);
  const begun = beginningsOf(lines);
  for (const line of lines) {
    if (line.type !== "fail" || line.code !== "sequence-mismatch") continue;
    const call = calls.get(line.call);
    if (call === undefined) report("false-mismatch", line.atMs, "nothing was expected");
    else checkRefused(call, line, { chains, reigns, moments, begun, report });
  }
}

/**
 * Checks every event with an expectation. Returns which event was the last of its key at which
 * time.
 */
function checkWritten(
  chains: Chains,
  { expected, moments }: { expected: ReadonlyMap<number, number>; moments: Moments },
  report: Report,
): ReadonlyMap<string, Reign[]> {
  const reigns = new Map<string, Reign[]>();
  const lasts = new Map<string, Map<string, EventRef & { readonly sequence: number }>>();
  const inOrder = [...chains.all.values()].toSorted((a, b) => a.partition - b.partition);
  for (const { life, partition, events, repairedTo } of inOrder) {
    // A key goes on in a partition of the next epoch.
    const last = lasts.get(life) ?? new Map<string, EventRef & { readonly sequence: number }>();
    lasts.set(life, last);
    for (const event of events) {
      const before = last.get(event.key);
      const sequence = expected.get(event.n);
      last.set(event.key, event);
      const places = chains.placesOf(event.n);
      const here = places.findIndex((each) => each.life === life);
      const atMs = places[here]?.seenAtMs ?? 0;
      const id = `${life}/${event.key}`;
      const written = writtenAt(places, here, event.n, moments);
      const reign = { sequence: event.sequence, dead: event.dead === true, ...written };
      const known = reigns.get(id);
      if (known === undefined) reigns.set(id, [reign]);
      else known.push(reign);
      // After a repair, the last events that had expired before they were compacted are unknown.
      if (sequence === undefined || repairedTo > 1) continue;
      const holds =
        sequence === (before?.sequence ?? 0) || (sequence === 0 && before?.dead === true);
      if (holds) continue;
      const where = `${event.n} at ${event.sequence} of ${life}/${partition}`;
      report("broken-expectation", atMs, `${where} expects ${sequence}, not ${before?.sequence}`);
    }
  }
  return reigns;
}

function checkRefused(
  call: Publish,
  { mismatches = [], atMs }: Failed,
  known: {
    chains: Chains;
    reigns: ReadonlyMap<string, Reign[]>;
    moments: Moments;
    begun: ReadonlyMap<string, number>;
    report: Report;
  },
): void {
  const { chains, reigns, moments, begun, report } = known;
  // A life that never got an event counts from the moment that it began.
  const written = [...chains.all.values()].filter(({ events }) => events.length > 0);
  const named = new Set(written.map(({ life }) => life));
  for (const [life, beganMs] of begun) if (beganMs <= atMs) named.add(life);
  const lives = new Set(
    [...named].filter((life) => chains.restores.isThere(life, call.atMs, atMs)),
  );
  const repaired = [...chains.all.values()].some(({ repairedTo }) => repairedTo > 1);
  const what = `the request of event ${call.events[0]?.n}`;
  if (mismatches.length === 0) report("false-mismatch", atMs, `${what} for no key`);
  for (const mismatch of mismatches) {
    const asked = call.events.find(
      ({ key, expected }) => key === mismatch.key && expected !== undefined,
    );
    const { sequence, deleted } = mismatch;
    const holds = asked?.expected === sequence || (asked?.expected === 0 && deleted);
    if (asked === undefined || holds) report("false-mismatch", atMs, `${what} for ${mismatch.key}`);
    const during = { fromMs: call.atMs, toMs: atMs };
    const wasSo = [...lives].some((life) =>
      held(reigns.get(`${life}/${mismatch.key}`), mismatch, during),
    );
    if (!wasSo && !repaired) {
      report("false-mismatch", atMs, `${what}: ${mismatch.key} was never at ${sequence} meanwhile`);
    }
  }
  // The request's own events were already durable with their receipt before it was sent, so the
  // receipt has priority.
  const places = call.events.flatMap(({ n }) => chains.placesIn(n, call.atMs, atMs));
  const wasThere =
    places.length > 0 &&
    call.events.every(({ n }) =>
      chains
        .placesIn(n, call.atMs, atMs)
        .every((_, at, all) => writtenAt(all, at, n, moments).byMs < call.atMs),
    );
  const isRecent = places.every(({ seenAtMs }) => call.atMs - seenAtMs < RECEIPT_MS);
  if (call.keyed === true && lives.size === 1 && wasThere && isRecent) {
    report("false-mismatch", atMs, `${what} had succeeded before`);
  }
}

/** Returns when each life was first seen in the store. */
function beginningsOf(lines: readonly Line[]): ReadonlyMap<string, number> {
  const begun = new Map<string, number>();
  for (const line of lines) {
    if (line.type !== "info" || line.op !== "checkpoint" || begun.has(line.life)) continue;
    begun.set(line.life, line.atMs);
  }
  return begun;
}

/** Receipts are kept for a day. Clocks may differ by a little. */
const RECEIPT_MS = 23 * 3_600_000;

/** When each event was first sent and first acknowledged. */
type Moments = ReadonlyMap<number, { readonly sentAtMs: number; toldAtMs?: number }>;

function momentsOf(lines: readonly Line[]): Moments {
  const moments = new Map<number, { sentAtMs: number; toldAtMs?: number }>();
  const calls = new Map<number, Publish>();
  for (const line of lines) {
    if (line.type === "invoke" && line.op === "publish") {
      calls.set(line.call, line);
      for (const { n } of line.events) {
        if (!moments.has(n)) moments.set(n, { sentAtMs: line.atMs });
      }
    } else if (line.type === "ok" && line.op === "publish") {
      for (const { n } of calls.get(line.call)?.events ?? []) {
        const known = moments.get(n);
        if (known !== undefined) known.toldAtMs ??= line.atMs;
      }
    }
  }
  return moments;
}

function writtenAt(places: readonly Place[], at: number, n: number, moments: Moments): Written {
  const { seenAtMs = 0, isExact = true } = places[at] ?? {};
  if (isExact) return { fromMs: seenAtMs, byMs: seenAtMs };
  const { sentAtMs = 0, toldAtMs = seenAtMs } = moments.get(n) ?? {};
  // With several lives, the acknowledgement may refer to another one.
  const byMs = places.length > 1 ? seenAtMs : Math.min(toldAtMs, seenAtMs);
  return { fromMs: Math.min(sentAtMs, seenAtMs), byMs };
}

/**
 * Returns whether an event may have been the last of its key at some moment of a period. 0 means
 * no event or a deletion.
 */
function held(
  reigns: readonly Reign[] = [],
  { sequence }: Mismatch,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): boolean {
  if (sequence === 0 && (reigns[0]?.byMs ?? Infinity) >= fromMs) return true;
  return reigns.some((reign, index) => {
    const untilMs = reigns[index + 1]?.byMs ?? Infinity;
    const is = reign.sequence === sequence || (sequence === 0 && reign.dead);
    return is && reign.fromMs <= toMs && untilMs >= fromMs;
  });
}
