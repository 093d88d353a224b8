import { type Chain, type Chains, isRewritten, type Place, type Report } from "./chains.ts";
import type { EventRef, Line } from "./history.ts";

type Call = {
  readonly process: string;
  readonly invokedAtMs: number;
  endedAtMs: number;
  outcome: "open" | "ok" | "fail" | "unknown";
  sequences: readonly number[];
};

/** One publish and all calls that were made for it. */
type Request = {
  readonly events: readonly EventRef[];
  readonly keyed: boolean;
  readonly calls: Call[];
};

/** Compares the answers to publishers with the chains, and checks the order of the chains. */
export function checkPublishes(lines: readonly Line[], chains: Chains, report: Report): void {
  const requests = collect(lines);
  const byEvent = new Map<number, Request>();
  for (const request of requests) {
    for (const { n } of request.events) byEvent.set(n, request);
    checkRequest(request, chains, report);
  }
  const deletedAtMs = deletions(lines);
  checkSeals(lines, report);
  for (const chain of chains.all.values()) {
    checkOrder(chain, byEvent, chains, report);
    checkEnd(chain, byEvent, deletedAtMs.get(chain.life) ?? Infinity, chains, report);
  }
}

function collect(lines: readonly Line[]): Iterable<Request> {
  const requests = new Map<number, Request>();
  const calls = new Map<number, Call>();
  for (const line of lines) {
    if (line.type === "info" && line.op === "erasing") {
      const { n, key, atMs: invokedAtMs } = line;
      const process = `erasure ${n}`;
      const call = { process, invokedAtMs, endedAtMs: Infinity, sequences: [] } as const;
      const calls: Call[] = [{ ...call, outcome: "unknown" }];
      requests.set(n, { events: [{ n, key, dead: true }], keyed: true, calls });
    }
    if (line.type === "invoke" && line.op === "publish") {
      const first = line.events[0]?.n ?? -1;
      const request = requests.get(first) ?? {
        events: line.events,
        keyed: line.keyed === true,
        calls: [],
      };
      requests.set(first, request);
      const call: Call = {
        process: line.process,
        invokedAtMs: line.atMs,
        endedAtMs: Infinity,
        outcome: "open",
        sequences: [],
      };
      request.calls.push(call);
      calls.set(line.call, call);
    } else if (line.type !== "info" && line.type !== "invoke" && line.op === "publish") {
      const call = calls.get(line.call);
      if (call === undefined) continue;
      call.outcome = line.type;
      call.endedAtMs = line.atMs;
      if (line.type === "ok") call.sequences = line.sequences;
    }
  }
  return requests.values();
}

/**
 * Checks that no more lives are closed than deletions were requested. A deletion whose client has
 * given up may still end the next life of the name.
 */
function checkSeals(lines: readonly Line[], report: Report): void {
  let closed = new Set<string>();
  const copies = new Map<number, ReadonlySet<string>>();
  let asked = 0;
  for (const line of lines) {
    if (line.type === "info" && line.op === "copied") copies.set(line.copy, new Set(closed));
    if (line.type === "info" && line.op === "restored") {
      // A life whose end was undone by the restore may be closed once more.
      const names = new Map(line.lives.map(({ from, to }) => [from, to]));
      closed = new Set(Array.from(copies.get(line.copy) ?? [], (life) => names.get(life) ?? life));
    }
    if (line.type === "invoke" && line.op === "delete") asked++;
    if (line.type !== "info" || line.op !== "batch" || line.seal === undefined) continue;
    closed.add(line.life);
    if (closed.size > asked) report("unasked-end", line.atMs, `${line.life}/${line.partition}`);
  }
}

function deletions(lines: readonly Line[]): Map<string, number> {
  const lives = new Map<number, string>();
  const endedAtMs = new Map<string, number>();
  for (const line of lines) {
    if (line.type === "invoke" && line.op === "delete") lives.set(line.call, line.life);
    if (line.type !== "ok" || line.op !== "delete") continue;
    const life = lives.get(line.call);
    if (life !== undefined && !endedAtMs.has(life)) endedAtMs.set(life, line.atMs);
  }
  return endedAtMs;
}

function checkRequest({ events, keyed, calls }: Request, chains: Chains, report: Report): void {
  const places = events.map(({ n }) => chains.placesOf(n));
  const lives = new Set(places.flatMap((of) => of.map(({ life }) => life)));
  const what = `request of event ${events[0]?.n}`;
  const lastMs = Math.max(...calls.map(({ invokedAtMs }) => invokedAtMs));
  const often = places.some(isRewritten);
  if (!keyed && often) report("duplicate", lastMs, `${what} is in ${lives.size} lives`);
  for (const life of lives) {
    const here = places.map((of) => of.filter((place) => place.life === life));
    if (here.some((of) => of.length > 1)) report("duplicate", lastMs, `${what} in ${life}`);
    if (here.some((of) => of.length === 0)) report("torn-write", lastMs, `${what} in ${life}`);
    checkInside(here, what, lastMs, report);
  }
  const fruitless = calls.every(({ outcome }) => outcome === "fail");
  if (fruitless && lives.size > 0) report("aborted-read", lastMs, what);
  for (const { outcome, sequences, invokedAtMs, endedAtMs } of calls) {
    if (outcome !== "ok") continue;
    const then = events.map(({ n }) => chains.placesIn(n, invokedAtMs, endedAtMs));
    if (then.some((of) => of.length === 0)) {
      report("lost-write", endedAtMs, `${what}; answered ${sequences.join()}`);
    } else if (!isToldOf(then, sequences, lives)) {
      report("receipt-mismatch", endedAtMs, `${what}; answered ${sequences.join()}`);
    }
  }
}

/** Checks that the events of a request are adjacent in each partition, in their order. */
function checkInside(
  here: readonly (readonly Place[])[],
  what: string,
  atMs: number,
  report: Report,
): void {
  const last = new Map<number, number>();
  for (const [place] of here) {
    if (place === undefined) continue;
    const before = last.get(place.partition);
    if (before !== undefined && place.sequence !== before + 1) {
      report("nonmonotonic-send", atMs, `${what}: ${place.sequence} follows ${before}`);
    }
    last.set(place.partition, place.sequence);
  }
}

const isToldOf = (
  places: readonly (readonly Place[])[],
  sequences: readonly number[],
  lives: ReadonlySet<string>,
): boolean =>
  sequences.length === places.length &&
  [...lives].some((life) =>
    places.every((of, index) =>
      of.some((place) => place.life === life && place.sequence === sequences[index]),
    ),
  );

/** Checks that no event precedes one that was acknowledged before it was sent. */
function checkOrder(
  { events, life, partition }: Chain,
  byEvent: ReadonlyMap<number, Request>,
  chains: Chains,
  report: Report,
): void {
  let latestMs = -Infinity;
  let latestN = -1;
  const latestOf = new Map<string, number>();
  for (const { n, sequence } of events) {
    const request = byEvent.get(n);
    if (request === undefined) {
      report("phantom-write", 0, `event ${n} in ${life}/${partition} at ${sequence}`);
      continue;
    }
    if (isRewritten(chains.placesOf(n))) continue;
    const { invokedMs, ackedMs, processes } = timesOf(request);
    const where = `event ${n} at ${sequence} of ${life}/${partition}`;
    if (processes.some((process) => ackedMs < (latestOf.get(process) ?? -Infinity))) {
      report("nonmonotonic-send", ackedMs, where);
    } else if (ackedMs < latestMs) {
      report("realtime-order", ackedMs, `${where} follows event ${latestN}`);
    }
    if (invokedMs > latestMs) {
      latestMs = invokedMs;
      latestN = n;
    }
    for (const process of processes) {
      latestOf.set(process, Math.max(latestOf.get(process) ?? -Infinity, invokedMs));
    }
  }
}

function timesOf({ calls }: Request) {
  let invokedMs = Infinity;
  let ackedMs = Infinity;
  for (const call of calls) {
    invokedMs = Math.min(invokedMs, call.invokedAtMs);
    if (call.outcome === "ok") ackedMs = Math.min(ackedMs, call.endedAtMs);
  }
  return { invokedMs, ackedMs, processes: calls.map(({ process }) => process) };
}

/**
 * Checks that no event that was sent after the deletion of a life was acknowledged in that life.
 */
function checkEnd(
  { events, life }: Chain,
  byEvent: ReadonlyMap<number, Request>,
  deletedAtMs: number,
  chains: Chains,
  report: Report,
): void {
  if (deletedAtMs === Infinity) return;
  for (const { n } of events) {
    const request = byEvent.get(n);
    if (request === undefined || isRewritten(chains.placesOf(n))) continue;
    if (request.calls.every(({ invokedAtMs }) => invokedAtMs > deletedAtMs)) {
      report("zombie-write", timesOf(request).invokedMs, `event ${n} in ${life}`);
    }
  }
}
