import { LIMITS, type UsageList, type UsageQuery } from "@eventledger/protocol";
import { invalidCursor } from "../cursor/cursor.ts";
import { formatListCursor, readListCursor } from "../cursor/list-cursor.ts";
import { invalidRequest } from "../kernel/error.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { defaultTenant, type Tenant } from "../model/names.ts";
import { hourOf } from "../model/usage.ts";
import type { UsedCounts } from "../table/usage.entity.ts";
import { loadUsage } from "../usage/load-usage.ts";
import {
  planReport,
  type Span,
  STEP_HOURS,
  type UsageBy,
  type UsageEntry,
} from "../usage/report-plan.ts";
import type { User } from "../usage/use-counter.ts";
import type { Parts } from "./parts.ts";

type UsageRequest = Pick<UsageQuery, "by" | "step" | "from" | "to" | "limit" | "cursor">;

type Reach = {
  /** Whether the caller may see a stream. */
  readonly covers: (stream: string) => boolean;
  /** Reports every tenant, one after another. */
  readonly everyTenant?: boolean;
};

/** The maximum number of tenants that a page of all tenants reads. */
const TENANTS_PER_PAGE = 10;

/** Reports what tenants, streams and keys have used. */
export function usageOperations({ table, clock, useCounter }: Parts) {
  /** Returns the entries of a tenant, and the time up to which everything is counted. */
  async function report(tenant: Tenant, { by }: UsageRequest, span: Span, { covers }: Reach) {
    const data = await loadUsage({ table, clock }, tenant, span);
    const entries = planReport(data, by, span);
    const visible = by === "stream" ? entries.filter(({ subject }) => covers(subject)) : entries;
    return { entries: visible, countedTo: data.countedTo };
  }

  return {
    /** Counts the use of a stream in this process. See `createUseCounter`. */
    noteUse: (user: User, by: Partial<UsedCounts>): void => useCounter.note(user, by),

    /** Adds the counted use to the table, as far as it is due. Never rejects. */
    flushUse: (how?: { readonly all: boolean }): Promise<void> => useCounter.flush(how),

    /**
     * Returns a page of usage. What this process has counted is added first. Throws
     * `invalid-cursor`.
     */
    async getUsage(tenant: Tenant, request: UsageRequest, reach: Reach): Promise<UsageList> {
      await useCounter.flush({ all: true });
      const span = spanOf(request, clock.now());
      const after = readPlace(request);
      if (reach.everyTenant !== true) {
        const { entries, countedTo } = await report(tenant, request, span, reach);
        const rest =
          after === undefined ? entries : entries.filter((entry) => isAfter(entry, after));
        return toPage(rest, request, { countedTo, isLast: true });
      }
      return everyTenant(request, span, { ...reach, after });
    },
  };

  /** Reports tenant after tenant, as many as one page reads. */
  async function everyTenant(
    request: UsageRequest,
    span: Span,
    { after, ...reach }: Reach & { readonly after: Place | undefined },
  ): Promise<UsageList> {
    const entries: UsageEntry[] = [];
    let countedTo = Infinity;
    const { names, isLast } = await tenantsFrom(after?.subject);
    for (const name of names) {
      const found = await report(name, request, span, reach);
      countedTo = Math.min(countedTo, found.countedTo);
      entries.push(...found.entries);
    }
    const rest = entries.filter(
      ({ subject, hour }) => after === undefined || subject !== after.subject || hour > after.hour,
    );
    const lastName = names.at(-1);
    const end = lastName === undefined ? undefined : { subject: lastName, hour: span.to };
    return toPage(rest, request, { countedTo, isLast, end });
  }

  /**
   * Returns some tenants by name, the default one first, starting where the previous page ended.
   */
  async function tenantsFrom(from: string | undefined) {
    const isFirst = from === undefined || from === defaultTenant;
    const start = isFirst ? undefined : from;
    const page = await table.tenants.list(TENANTS_PER_PAGE, start);
    const first = from === undefined ? defaultTenant : (from as Tenant);
    return { names: [first, ...page.tenants.map(({ name }) => name)], isLast: page.next === null };
  }
}

type Place = { readonly subject: string; readonly hour: number };

const isAfter = ({ hour, subject }: UsageEntry, after: Place): boolean =>
  hour > after.hour || (hour === after.hour && subject > after.subject);

/**
 * Returns the hours that a request asks for, in whole steps, without those that have not begun.
 * Throws `invalid-request`.
 */
function spanOf({ from, to, step }: UsageRequest, nowMs: number): Span {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const hours = STEP_HOURS[step];
  const fromMs =
    from === undefined ? toMs - DEFAULT_STEPS[step] * hours * HOUR_MS : Date.parse(from);
  const daysMax = step === "hour" ? LIMITS.usageHourDaysMax : LIMITS.usageDaysMax;
  if (fromMs >= toMs) throw invalidRequest("/query/from", "must be before to");
  if (toMs - fromMs > daysMax * DAY_MS) {
    throw invalidRequest("/query/from", `must be at most ${daysMax} days before to`);
  }
  if (fromMs < EARLIEST_MS) throw invalidRequest("/query/from", "must be 2020 or later");
  const first = hourOf(fromMs);
  const end = Math.min(Math.ceil(toMs / HOUR_MS), hourOf(nowMs) + 1);
  return { from: first - (first % hours), to: end, step: hours };
}

const DEFAULT_STEPS = { hour: 24, day: 30 } as const;
const EARLIEST_MS = Date.UTC(2020, 0, 1);

function readPlace({ by, cursor }: UsageRequest): Place | undefined {
  if (cursor === undefined) return undefined;
  const read = readListCursor(cursor);
  const [, of, subject] = /^usage (stream|key|tenant)\/(\S+)$/.exec(read?.list ?? "") ?? [];
  const hour = Number(read?.name);
  if (of !== by || subject === undefined || !Number.isSafeInteger(hour)) {
    throw invalidCursor("other-query");
  }
  return { subject, hour };
}

const cursorAt = (by: UsageBy, { subject, hour }: Place): string =>
  formatListCursor(`usage ${by}/${subject}`, String(hour));

type Ending = {
  readonly countedTo: number;
  readonly isLast: boolean;
  /** The place after everything that the page has read. */
  readonly end?: Place | undefined;
};

function toPage(
  entries: readonly UsageEntry[],
  { by, limit }: UsageRequest,
  { countedTo, isLast, end }: Ending,
): UsageList {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  const isCut = entries.length > limit && last !== undefined;
  const next = isCut ? last : isLast ? undefined : end;
  return {
    usage: shown.map((entry) => toView(entry, by)),
    countedTo: new Date(countedTo).toISOString(),
    cursor: next === undefined ? null : cursorAt(by, next),
  };
}

const toView = (
  { hour, subject, stored, published, delivered, requests }: UsageEntry,
  by: UsageBy,
): UsageList["usage"][number] => ({
  time: new Date(hour * HOUR_MS).toISOString(),
  [by]: subject,
  published,
  delivered,
  requests,
  ...(stored === undefined
    ? {}
    : {
        stored: {
          hotBytes: stored.hot,
          compactedBytes: stored.compacted,
          archivedBytes: stored.archived,
        },
      }),
});
