import { baseOf, type Chains, indexAt, type Report } from "./chains.ts";
import { isOvertaken, isRepaired, lastChanges } from "./changed.ts";
import { checkRefusal } from "./check-restores.ts";
import type { Failed, Info, Invoke, Line, Ok } from "./history.ts";
import { createLists, isFirstPage, type List, shownIn } from "./lists.ts";
import { emptyView } from "./views.ts";

type ListInvoke = Invoke & { op: "list" };
type ListOk = Ok & { op: "list" };

type Rules = {
  readonly chains: Chains;
  readonly report: Report;
  readonly skewMs: number;
};

/** A list may be read on for a day, and changes are known for 90 days. */
const OPEN_MS = 23 * 3_600_000;
const KNOWN_MS = 90 * 24 * 3_600_000;

/**
 * Checks that a list, with all its parts, has each key once, at its last event before `follow`. A
 * list since a cursor has the keys that changed since then, deleted ones too. A list lacks a key
 * only if a later event overwrote it while it was read.
 */
export function checkLists(
  lines: readonly Line[],
  chains: Chains,
  report: Report,
  { skewMs }: { readonly skewMs: number },
): void {
  const rules = { chains, report, skewMs };
  const lists = createLists();
  const calls = new Map<number, ListInvoke>();
  for (const line of lines) {
    if (line.type === "invoke" && line.op === "list") calls.set(line.call, line);
    else if (line.type === "info" && line.op === "listed") {
      const list = lists.of(line.list);
      if (list !== undefined) checkList(rules, list, line);
    } else if (line.type === "ok" && line.op === "list") {
      const invoke = calls.get(line.call);
      if (invoke !== undefined) {
        const before = lists.add(invoke, line);
        if (before !== undefined) checkPage(rules, before, invoke, line);
      }
    } else if (line.type === "fail" && line.op === "list") {
      const invoke = calls.get(line.call);
      if (invoke !== undefined) checkFailure(rules, lists.of(invoke.list), invoke, line);
    }
  }
}

/**
 * Checks that all pages of a list belong to one state of the log. A list may go on after a restore,
 * and a page may know of later partitions, which begin after the list.
 */
function checkPage(
  { chains, report }: Rules,
  before: Pick<List, "life" | "follow">,
  { list: name }: ListInvoke,
  { life, follow, atMs }: ListOk,
): void {
  const [shorter, longer] = [follow, before.follow].toSorted((a, b) => a.length - b.length);
  const isSame = longer?.every(
    (next, at) => next === (shorter?.[at] ?? baseOf(chains.of(life, at))),
  );
  if (chains.restores.isPast(before.life, life) && isSame) return;
  const found = `${before.life} up to ${before.follow}, then of ${life} up to ${follow}`;
  report("list-torn", atMs, `${name} of ${found}`);
}

function checkList(
  { chains, report }: Rules,
  list: List,
  { list: name, atMs }: Info & { op: "listed" },
): void {
  const { since, life, follow, lastAtMs } = list;
  if (isRepaired(chains, life)) return;
  const last = lastChanges(chains, life, { since: since?.at, until: follow });
  const isDeleted = (key: string) => last.get(key)?.event.dead === true;
  const shown = new Set<string>();
  for (const [n, sequence] of shownIn(list)) {
    const place = chains.placesOf(n).find((each) => each.life === life);
    const event = place && chains.of(life, place.partition)?.events[place.index];
    const what = `${name}: event ${n} at ${sequence}`;
    if (event === undefined || event.sequence !== sequence) {
      report("inconsistent-offsets", atMs, `${what} is not in ${life}`);
      continue;
    }
    const { key } = event;
    if (last.get(key)?.event.n !== n) {
      report("list-mismatch", atMs, `${what} is not the last one of ${key} before ${follow}`);
    }
    if (shown.has(key) || (since === undefined && isDeleted(key))) {
      report("bootstrap-extra", atMs, `${what} of ${key}`);
    }
    shown.add(key);
  }
  for (const [key, { event }] of last) {
    if (shown.has(key) || (since === undefined && isDeleted(key))) continue;
    if (isOvertaken(chains, life, { key, until: follow, atMs: lastAtMs })) continue;
    report("list-mismatch", atMs, `${name} of ${life} lacks ${key} at ${event.sequence}`);
  }
}

function checkFailure(
  rules: Rules,
  list: List | undefined,
  invoke: ListInvoke,
  line: Failed,
): void {
  const { chains, report, skewMs } = rules;
  const { since, list: name } = invoke;
  const isFirst = isFirstPage(invoke);
  const what = `page ${line.call} of ${name}`;
  if (line.code === "bootstrap-expired" && list !== undefined && !isFirst) {
    if (line.atMs - list.begunAtMs < OPEN_MS - skewMs) report("pin-broken", line.atMs, what);
  }
  if (since === undefined) return;
  if (line.code === "invalid-cursor" && isFirst) {
    const view = { ...emptyView(), life: since.life, begunAtMs: 0 };
    const asked = { op: "read", after: since.at, session: name } as const;
    checkRefusal({ chains, report }, view, { ...invoke, ...asked }, line);
  }
  if (line.code === "changes-passed") checkForgotten(rules, since, what, line.atMs);
}

/** Checks that changes are unknown only if one of them is 90 days old, or a restore lost them. */
function checkForgotten(
  { chains, report, skewMs }: Rules,
  { life, at }: { readonly life: string; readonly at: readonly number[] },
  what: string,
  atMs: number,
): void {
  const present = chains.restores.presentOf(life, atMs);
  if (present !== life || chains.restores.isRestored(life) || isRepaired(chains, life)) return;
  const isOld = [...chains.all.values()].some((chain) => {
    if (chain.life !== life) return false;
    const first = chain.events[indexAt(chain, at[chain.partition] ?? baseOf(chain))];
    return first !== undefined && first.publishedAtMs < atMs - KNOWN_MS + skewMs;
  });
  if (!isOld) report("changes-forgotten", atMs, `${what}: since ${at}`);
}
