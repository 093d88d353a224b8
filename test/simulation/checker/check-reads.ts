import {
  baseOf,
  type Chain,
  type Chains,
  indexAt,
  type Place,
  pastJumps,
  placesTold,
  type Report,
} from "./chains.ts";
import { isOvertaken, isRepaired, lastChanges } from "./changed.ts";
import type { KeptFor } from "./check.ts";
import { checkPosition, createPositions, type Positions } from "./check-positions.ts";
import { checkRefusal, goOnAfterRestore } from "./check-restores.ts";
import type { Failed, Invoke, Line, Ok } from "./history.ts";
import { createLists, type Lists, shownIn } from "./lists.ts";
import { isStillKept } from "./retentions.ts";
import { addToView, copyView, differences, emptyView, type View } from "./views.ts";

type ReadInvoke = Invoke & { op: "read" };
type ReadOk = Ok & { op: "read" };

type State = {
  readonly chains: Chains;
  readonly report: Report;
  readonly options: KeptFor;
  readonly views: Map<string, View>;
  readonly positions: Positions;
  /** One more than the highest acknowledged sequence, by life and partition. */
  readonly acked: Map<string, number[]>;
  readonly deletedAtMs: Map<string, number>;
  readonly calls: Map<number, Started>;
  readonly lists: Lists;
  healed: boolean;
};

/** What was known when a call began. */
type Started = {
  readonly invoke: Invoke;
  readonly acked: ReadonlyMap<string, readonly number[]>;
  readonly lower: ReturnType<Positions["lowerNow"]> | undefined;
};

/** How long other processes may still answer reads of a life that was deleted. */
const FORMER_LIFE_MS = 6_000;
/** A bootstrap may read on for a day. With differing clocks, a little less is certain. */
const BOOTSTRAP_MS = 23 * 3_600_000;

/** Checks every page, view and committed position against the chains. */
export function checkReads(
  lines: readonly Line[],
  chains: Chains,
  report: Report,
  options: KeptFor,
): void {
  const state: State = {
    chains,
    report,
    options,
    views: new Map(),
    acked: new Map(),
    positions: createPositions(),
    deletedAtMs: new Map(),
    calls: new Map(),
    lists: createLists(),
    healed: false,
  };
  for (const line of lines) {
    if (line.type === "invoke") begin(state, line);
    else if (line.type === "ok") end(state, line);
    else if (line.type === "info") observe(state, line);
    else if (line.op === "read") checkFailure(state, line);
  }
}

function begin(state: State, invoke: Invoke): void {
  const acked = new Map<string, readonly number[]>();
  if (invoke.op === "read") for (const [life, next] of state.acked) acked.set(life, [...next]);
  const lower = invoke.op === "read" ? state.positions.lowerNow() : undefined;
  state.calls.set(invoke.call, { invoke, acked, lower });
  if (invoke.op === "commit") state.positions.invokeCommit(invoke);
}

function end(state: State, line: Ok): void {
  const started = state.calls.get(line.call);
  if (started === undefined) return;
  const { invoke } = started;
  if (line.op === "publish" && invoke.op === "publish") {
    noteAcked(state, invoke.events, line);
  } else if (line.op === "delete" && invoke.op === "delete") {
    const known = state.deletedAtMs.get(invoke.life) ?? Infinity;
    state.deletedAtMs.set(invoke.life, Math.min(known, line.atMs));
  } else if (line.op === "commit" && invoke.op === "commit") {
    state.positions.endCommit(invoke, line);
  } else if (line.op === "list" && invoke.op === "list") {
    state.lists.add(invoke, line);
  } else if (line.op === "read" && invoke.op === "read") {
    checkPage(state, started, invoke, line);
  }
}

function noteAcked(
  { chains, acked }: State,
  events: readonly { readonly n: number }[],
  { sequences, atMs }: { readonly sequences: readonly number[]; readonly atMs: number },
): void {
  events.forEach(({ n }, index) => {
    for (const place of placesTold(chains, n, { sequence: sequences[index], atMs })) {
      const next = acked.get(place.life) ?? [];
      acked.set(place.life, next);
      next[place.partition] = Math.max(next[place.partition] ?? 1, place.sequence + 1);
    }
  });
}

/** After a restore, the acknowledged events are those that the restore kept. */
function keepAcked({ acked, chains }: State, { lives }: Line & { op: "restored" }): void {
  for (const { from, to } of lives) {
    const end = (next: number, at: number) =>
      Math.min(next ?? 1, chains.restores.keptOf(to, at)?.next ?? 1);
    acked.set(to, (acked.get(from) ?? []).map(end));
  }
}

function observe(state: State, line: Line & { type: "info" }): void {
  if (line.op === "healed") state.healed = true;
  if (line.op === "offset") checkPosition(state, line);
  if (line.op === "copied") state.positions.copy(line);
  if (line.op === "restored") {
    state.positions.restore(line);
    keepAcked(state, line);
  }
  if (line.op === "since") {
    const view = state.views.get(line.session) ?? emptyView();
    const next = { ...copyView(view), since: line.positions, begunAtMs: Infinity };
    state.views.set(line.session, { ...next, kept: copyView(next) });
  }
  if (line.op === "listed") beginAfterList(state, line);
  if (line.op !== "begin" && line.op !== "save" && line.op !== "restore") return;
  const { views } = state;
  const view = views.get(line.session) ?? emptyView();
  if (line.op === "begin") {
    views.set(line.session, { ...emptyView(), resumed: line.isPartial === true });
  }
  if (line.op === "save") view.kept = copyView(view);
  if (line.op === "restore") {
    const kept = view.kept ?? emptyView();
    views.set(line.session, { ...copyView(kept), restored: true, kept: copyView(kept) });
  }
}

/** The reader of a list reads on from where the log follows it. The log is kept there for a day. */
function beginAfterList(state: State, { list, session }: Line & { op: "listed" }): void {
  const { chains, views, lists } = state;
  const known = lists.of(list);
  if (known === undefined) return;
  const { life, follow, begunAtMs, since } = known;
  const view = {
    ...emptyView(),
    life,
    reached: [...follow],
    begunAtMs,
    whole: since === undefined,
  };
  for (const [n] of shownIn(known)) {
    const place = chains.placesOf(n).find((each) => each.life === life);
    const event = place && eventAt(chains, place);
    if (place !== undefined && event !== undefined) addToView(view, event, place);
  }
  views.set(session, view);
}

function checkPage(state: State, started: Started, invoke: ReadInvoke, page: ReadOk): void {
  const { chains, report, views } = state;
  const what = `page ${page.call} of ${invoke.session}`;
  const deletedAtMs = state.deletedAtMs.get(page.life) ?? Infinity;
  if (invoke.atMs > deletedAtMs + FORMER_LIFE_MS) {
    report("cross-uid", page.atMs, `${what} is of ${page.life}, which was deleted`);
  }
  if (!chains.restores.isThere(page.life, invoke.atMs, page.atMs)) {
    report("cross-uid", page.atMs, `${what} is of ${page.life}, which a restore has ended`);
    return;
  }
  if (state.positions.isOutdated(page)) return;
  const view = goOnAfterRestore(state, viewOf(views, invoke, page), invoke, page);
  views.set(invoke.session, view);
  const places = placesIn(chains, page, what, report);
  if (places === undefined) return;
  if (view.life !== undefined && view.life !== page.life) {
    report("cross-uid", page.atMs, `${what} goes on from ${view.life} in ${page.life}`);
    return;
  }
  if (page.phase === "bootstrap") {
    view.begunAtMs = Math.min(view.begunAtMs, invoke.atMs);
    addSnapshotPage(state, view, page, places, what);
  } else {
    if (view.since !== undefined) endDifference(state, view, view.since, page, what);
    addLogPage(state, started, invoke, view, page, places, what);
  }
  view.life = page.life;
  view.subscription = page.subscription;
  if (page.consistent && view.whole) {
    for (const where of differences(view, chains, page.life)) {
      report("bootstrap-mismatch", page.atMs, `${what}: ${where}`);
    }
  }
  if (page.caughtUp) checkCaughtUp(state, started, page, view, what);
}

/**
 * Returns the view that a page is added to. A poll without a cursor asks for a subscription by
 * name. In the meantime the name may belong to a subscription in the next life of the stream. The
 * page then begins another view.
 */
function viewOf(views: Map<string, View>, { session, after }: ReadInvoke, page: ReadOk): View {
  const known = views.get(session);
  const another = known?.subscription !== undefined && known.subscription !== page.subscription;
  const view = known === undefined || (another && after === undefined) ? emptyView() : known;
  views.set(session, view);
  return view;
}

/**
 * Returns where the page's events are in its life. Returns undefined when one of them is missing.
 */
function placesIn(chains: Chains, page: ReadOk, what: string, report: Report): Place[] | undefined {
  const found: Place[] = [];
  for (const [n, sequence] of page.events) {
    const places = chains.placesOf(n);
    const place = places.find(({ life }) => life === page.life);
    if (place === undefined) {
      const name = places.length > 0 ? "cross-uid" : "inconsistent-offsets";
      report(name, page.atMs, `${what}: event ${n} is not in ${page.life}`);
      return undefined;
    }
    if (place.sequence !== sequence) {
      const found = `${what}: event ${n} is at ${place.sequence}, read at ${sequence}`;
      report("inconsistent-offsets", page.atMs, found);
      return undefined;
    }
    found.push(place);
  }
  return found;
}

function addSnapshotPage(
  { chains, report }: State,
  view: View,
  page: ReadOk,
  places: readonly Place[],
  what: string,
): void {
  const { since } = view;
  if (since === undefined) view.whole = !view.resumed;
  const isUnchanged = ({ partition, sequence }: Place) =>
    since !== undefined && sequence < (since[partition] ?? 1);
  for (const place of places) {
    const event = eventAt(chains, place);
    if (event === undefined) continue;
    const late = place.sequence >= (page.to[place.partition] ?? 1);
    const isNew = addToView(view, event, place) || view.restored;
    // A view that a restore has emptied does not know what the subscription delivers.
    const isGone = event.dead === true && since === undefined && !view.resumed;
    if (late || isGone || isUnchanged(place) || !isNew) {
      report("bootstrap-extra", page.atMs, `${what}: event ${event.n} at ${place.sequence}`);
    }
  }
  page.to.forEach((next, partition) => {
    view.reached[partition] = next;
  });
}

/** Checks that a copy has got everything that changed since it was complete. */
function endDifference(
  { chains, report }: State,
  view: View,
  since: readonly number[],
  { life, atMs }: ReadOk,
  what: string,
): void {
  view.since = undefined;
  if (isRepaired(chains, life)) return;
  const until = view.reached;
  for (const [key, { event }] of lastChanges(chains, life, { since, until })) {
    if ((view.keys.get(key)?.sequence ?? 0) >= event.sequence) continue;
    if (isOvertaken(chains, life, { key, until, atMs })) continue;
    report("list-mismatch", atMs, `${what} goes on without ${key} at ${event.sequence}`);
  }
}

function addLogPage(
  state: State,
  { lower }: Started,
  invoke: ReadInvoke,
  view: View,
  page: ReadOk,
  places: readonly Place[],
  what: string,
): void {
  const { chains, report } = state;
  const starts = page.to.map((to, partition) => {
    const run = places.filter((place) => place.partition === partition);
    const past = (next: number) => pastJumps(chains.of(page.life, partition), next);
    return checkRun(run, { to, after: invoke.after?.[partition], past }, what, page, report);
  });
  // A position below the beginning of a partition is of a lost one with the same number.
  const past = (partition: number, next: number) => {
    const chain = chains.of(page.life, partition);
    return Math.max(baseOf(chain), pastJumps(chain, next));
  };
  if (view.life === undefined)
    view.whole = starts.every((start, at) => start === baseOf(chains.of(page.life, at)));
  checkEpochs(state, page, places, what);
  if (invoke.after === undefined && invoke.place === undefined && lower !== undefined) {
    state.positions.checkStart(page, starts, lower, what, { report, past });
  }
  if (invoke.place === "earliest") checkEarliest(state, page, starts, what);
  // After a cursor that covers all of the view, no event is older than what the view holds.
  const goesOn = view.reached.every(
    (next, at) => past(at, invoke.after?.[at] ?? 0) >= past(at, next),
  );
  for (const place of places) {
    const event = eventAt(chains, place);
    if (event === undefined) continue;
    const held = view.keys.get(event.key)?.sequence ?? 0;
    addToView(view, event, place);
    if (!goesOn || view.reached.length === 0 || held < place.sequence) continue;
    report(
      "nonmonotonic-poll",
      page.atMs,
      `${what}: ${place.sequence} of ${event.key} after ${held}`,
    );
  }
  page.to.forEach((to, partition) => {
    const reached = view.reached[partition];
    const start = starts[partition] ?? to;
    if (reached !== undefined && past(partition, start) > past(partition, reached)) {
      const found = `${what}: partition ${partition} goes on at ${start} after ${reached}`;
      report("poll-skip", page.atMs, found);
    }
    view.reached[partition] = Math.max(reached ?? to, to);
  });
}

/** Checks that a page has events of an epoch only if it has reached all ends of the one before. */
function checkEpochs(
  { chains, report }: State,
  page: ReadOk,
  places: readonly Place[],
  what: string,
): void {
  for (const { partition, sequence } of places) {
    const base = baseOf(chains.of(page.life, partition));
    page.to.forEach((to, before) => {
      const chain = chains.of(page.life, before);
      if (chain?.turned !== true || chain.next > base || before >= partition) return;
      if (pastJumps(chain, to) >= pastJumps(chain, chain.next)) return;
      const found = `${what}: ${sequence} of partition ${partition} at ${to} of ${before}`;
      report("nonmonotonic-poll", page.atMs, found);
    });
  }
}

/**
 * Checks one partition's part of a page: it is contiguous, from `after` if that is known, up to
 * `to`.
 */
function checkRun(
  run: readonly Place[],
  { to, after, past }: { to: number; after: number | undefined; past: (next: number) => number },
  what: string,
  { atMs }: ReadOk,
  report: Report,
): number {
  const [first] = run;
  const start = first?.sequence ?? to;
  let before = first === undefined ? undefined : first.index - 1;
  for (const { index, sequence } of run) {
    if (before !== undefined && index !== before + 1) {
      const name = index > before + 1 ? "poll-skip" : "nonmonotonic-poll";
      report(name, atMs, `${what}: ${sequence} is out of turn`);
    }
    before = index;
  }
  const last = run.at(-1);
  if (last !== undefined && past(last.sequence + 1) !== past(to)) {
    const name = last.sequence + 1 < to ? "poll-skip" : "nonmonotonic-poll";
    report(name, atMs, `${what}: ends with ${last.sequence} and goes on at ${to}`);
  }
  if (after !== undefined && past(start) !== past(after)) {
    const name = start > after ? "poll-skip" : "nonmonotonic-poll";
    report(name, atMs, `${what}: begins with ${start} after ${after}`);
  }
  return start;
}

const eventAt = (chains: Chains, { life, partition, index }: Place) =>
  chains.of(life, partition)?.events[index];

function checkCaughtUp(
  { report, healed }: State,
  { acked }: Started,
  page: ReadOk,
  view: View,
  what: string,
): void {
  const durable = acked.get(page.life) ?? [];
  durable.forEach((next, partition) => {
    // Nothing is acknowledged in some partitions.
    const to = page.to[partition] ?? 1;
    if (!(to < next)) return;
    const found = `${what}: caught up at ${to} of partition ${partition}, durable up to ${next}`;
    report(healed ? "unseen" : "stale-read", page.atMs, found);
  });
  if (view.whole && !page.consistent) {
    report("bootstrap-mismatch", page.atMs, `${what}: caught up and never consistent`);
  }
}

/** Checks that reading from the beginning leaves out only events older than the retention. */
function checkEarliest(
  { chains, report, options }: State,
  page: ReadOk,
  starts: readonly number[],
  what: string,
): void {
  starts.forEach((start, partition) => {
    const chain = chains.of(page.life, partition);
    const last = chain?.events[indexAt(chain, start) - 1];
    if (last !== undefined && isStillKept(last, page.atMs, options)) {
      report("early-retention", page.atMs, `${what}: ${last.sequence} of partition ${partition}`);
    }
  });
}

/** Checks that `retention-passed` is true and does not affect a bootstrap younger than a day. */
function checkFailure(state: State, line: Failed): void {
  const { report, options, chains, views } = state;
  const invoke = state.calls.get(line.call)?.invoke;
  if (invoke?.op !== "read") return;
  const view = views.get(invoke.session);
  if (view?.life === undefined) return;
  if (line.code === "invalid-cursor") checkRefusal(state, view, invoke, line);
  if (line.code !== "retention-passed") return;
  const isOpen = view.begunAtMs < Infinity;
  if (isOpen && line.atMs - view.begunAtMs < BOOTSTRAP_MS - options.skewMs) {
    report("pin-broken", line.atMs, `read ${line.call} of ${invoke.session}`);
  }
  const { life, reached } = view;
  // A repair declares every event below it expired, also for readers of an earlier life.
  const [made] = life.split("~");
  const lives = [...chains.all.values()].filter((chain) => chain.life.split("~")[0] === made);
  if (lives.some(({ repairedTo }) => repairedTo > 1)) return;
  // The events after the place may belong to a life that a restore has begun since.
  const isGone = (chain: Chain, next: number): boolean => {
    const event = chain.events[indexAt(chain, next)];
    return event !== undefined && !isStillKept(event, line.atMs, options);
  };
  const areGone = (next: number, at: number): boolean =>
    lives.some((chain) => chain.partition === at && isGone(chain, next));
  // A reader from before an epoch begins with its first events.
  const isLater = (chain: Chain) =>
    reached[chain.partition] === undefined && isGone(chain, baseOf(chain));
  if (baseOf(lives.find(isLater)) > 1) return;
  if (invoke.after !== undefined && !reached.some(areGone)) {
    report("early-retention", line.atMs, `read ${line.call} of ${invoke.session}`);
  }
}
