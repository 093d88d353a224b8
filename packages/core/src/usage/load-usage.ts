import type { Clock } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { chainCount } from "../model/epochs.ts";
import { isAuditStream, type Life, lifeOf, ownerOf, type Tenant } from "../model/names.ts";
import { dayOf, HOURS_OF_DAY, hourOf, hourOfDay } from "../model/usage.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import { KEPT_DAYS, type PublishedRow, type UsedRow } from "../table/usage.entity.ts";
import type { Span, UsageData } from "./report-plan.ts";
import { joinHours, type LiveHours, type PartitionHours } from "./stored-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/**
 * Checkpoints hold the hours of the last day. A checkpoint that is a week old gets no new events,
 * because publishing refuses its partition.
 */
const LIVE_MS = 7 * DAY_MS;
const AT_ONCE = 8;
const STREAMS = 100;

export type LoadedUsage = UsageData & {
  /** Everything published before this time is counted, in milliseconds since 1970. */
  readonly countedTo: number;
};

/**
 * Loads what a tenant used in a span. Checkpoints are read before rows, because an hour moves from
 * a checkpoint into a row. It costs two reads per partition, and two queries per day. The audit
 * stream is not part of what a tenant uses.
 */
export async function loadUsage(deps: Deps, tenant: Tenant, span: Span): Promise<LoadedUsage> {
  const nowMs = deps.clock.now();
  const live = await loadLive(deps, tenant, { isRecent: span.to * HOUR_MS > nowMs - LIVE_MS });
  const kept = Math.max(0, ...live.partitions.map(({ retentionHours }) => retentionHours));
  const days = daysOf(span.from - kept, span.to);
  const rows: PublishedRow[] = [];
  const used: UsedRow[] = [];
  const firstDay = dayOf(span.from);
  await inParallel(days, AT_ONCE, async (day) => {
    const published = await deps.table.usage.publishedOn(tenant, day);
    rows.push(...published.filter(({ life }) => !isAuditStream(life)));
    if (day >= firstDay) used.push(...(await deps.table.usage.usedOn(tenant, day)));
  });
  const partitions = await withStates(deps, tenant, {
    rows,
    live,
    days,
    partitions: joinHours(rows, live.partitions),
    hour: span.from,
  });
  return { partitions, used, countedTo: Math.min(nowMs, live.countedTo) };
}

type Found = {
  readonly rows: PublishedRow[];
  readonly live: LiveUsage;
  readonly days: readonly string[];
  readonly partitions: readonly PartitionHours[];
  readonly hour: number;
};

/**
 * Looks back to the rows with the sizes that compacted states had in an hour. A stream that had no
 * events for a long time has its last row before the days that were read.
 */
async function withStates(
  { table }: Deps,
  tenant: Tenant,
  { rows, live, days, partitions, hour }: Found,
): Promise<readonly PartitionHours[]> {
  let joined = partitions;
  const lacks = ({ compacted, hours, total }: PartitionHours): boolean =>
    [...compacted.keys()].every((each) => each > hour) &&
    [...hours.values()].reduce((sum, { events }) => sum + events, 0) < total;
  let before = hourOfDay(days[0] ?? dayOf(hour));
  const first = before - KEPT_DAYS * HOURS_OF_DAY;
  while (before > Math.max(first, live.since) && joined.some(lacks)) {
    const some = daysOf(before - AT_ONCE * HOURS_OF_DAY, before);
    before -= AT_ONCE * HOURS_OF_DAY;
    await inParallel(some, AT_ONCE, async (day) => {
      const published = await table.usage.publishedOn(tenant, day);
      rows.push(...published.filter(({ life }) => !isAuditStream(life)));
    });
    joined = joinHours(rows, live.partitions);
  }
  return joined;
}

function daysOf(from: number, to: number): string[] {
  const days: string[] = [];
  for (let hour = from - (from % HOURS_OF_DAY); hour < to; hour += HOURS_OF_DAY) {
    days.push(dayOf(hour));
  }
  return days;
}

type Chain = {
  readonly life: Life;
  readonly partition: number;
  readonly retentionHours: number;
  /** The hour in which the stream was deleted. */
  readonly endedHour?: number;
};

type LiveUsage = {
  readonly partitions: readonly LiveHours[];
  readonly countedTo: number;
  /** No stream of the tenant is older than this hour, as far as it is known. */
  readonly since: number;
};

/** Reads the checkpoints of a tenant, or only the settings of its streams. */
async function loadLive(
  { table, clock }: Deps,
  tenant: Tenant,
  { isRecent }: { readonly isRecent: boolean },
): Promise<LiveUsage> {
  const { chains, since } = await listChains(table, tenant);
  const partitions: LiveHours[] = [];
  let countedTo = Infinity;
  await inParallel(chains, AT_ONCE, async (chain) => {
    const { life, partition } = chain;
    const nowMs = clock.now();
    const checkpoint = isRecent ? await table.checkpoints.load(life, partition) : undefined;
    if (checkpoint !== undefined) {
      // No event comes after the checkpoint, so everything is counted, however old the checkpoint
      // is.
      const { next, compactedThrough } = checkpoint;
      const later = await table.batches.loadLast(life, partition, next);
      const isWhole = later === undefined || later.count === 0;
      countedTo = Math.min(countedTo, isWhole ? nowMs : compactedThrough);
    }
    const { usage = [], events = Infinity } = checkpoint ?? {};
    partitions.push({ ...chain, hours: usage, total: events, ...archivedOf(checkpoint) });
  });
  return { partitions, countedTo, since };
}

function archivedOf(checkpoint: Checkpoint | undefined): Pick<LiveHours, "archived"> {
  if (checkpoint?.archived === undefined) return {};
  const { at, storedBytes } = checkpoint.archived;
  return { archived: { hour: hourOf(at), bytes: storedBytes } };
}

/** Returns all partitions of a tenant, also of streams that are being removed. */
async function listChains(
  table: Table,
  tenant: Tenant,
): Promise<{ readonly chains: readonly Chain[]; readonly since: number }> {
  const chains: Chain[] = [];
  let sinceMs = Infinity;
  const add = (partitions: number, chain: Omit<Chain, "partition">) => {
    for (let partition = 0; partition < partitions; partition++) {
      chains.push({ ...chain, partition });
    }
  };
  for (const { life, name, partitions, requestedAt } of await table.removals.list()) {
    if (ownerOf(name) !== tenant) continue;
    add(partitions, { life, retentionHours: 0, endedHour: hourOf(requestedAt) });
    sinceMs = 0;
  }
  let after: Parameters<Table["directory"]["list"]>[2];
  do {
    const page = await table.directory.list(tenant, STREAMS, after);
    for (const stream of page.streams) {
      const { name, uid, retentionHours, createdAt } = stream;
      sinceMs = Math.min(sinceMs, createdAt);
      if (isAuditStream(name)) continue;
      add(chainCount(stream), { life: lifeOf(name, uid), retentionHours });
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  return { chains, since: sinceMs === Infinity ? 0 : hourOf(sinceMs) };
}
