import type { Clock } from "../kernel/clock.ts";
import { inParallel } from "../kernel/in-parallel.ts";
import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { chainCount } from "../model/epochs.ts";
import { isAuditStream, type Life, lifeOf, ownerOf, type Tenant } from "../model/names.ts";
import { dayOf, HOURS_OF_DAY, hourOf } from "../model/usage.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";
import type { PublishedRow, UsedRow } from "../table/usage.entity.ts";
import type { Span, UsageData } from "./report-plan.ts";
import { joinHours, type LiveHours } from "./stored-plan.ts";

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
  const partitions = joinHours(rows, live.partitions);
  return { partitions, used, countedTo: Math.min(nowMs, live.countedTo) };
}

function daysOf(from: number, to: number): string[] {
  const days: string[] = [];
  for (let hour = from - (from % HOURS_OF_DAY); hour < to; hour += HOURS_OF_DAY) {
    days.push(dayOf(hour));
  }
  return days;
}

type Chain = { readonly life: Life; readonly partition: number; readonly retentionHours: number };

/** Reads the checkpoints of a tenant, or only the settings of its streams. */
async function loadLive(
  { table, clock }: Deps,
  tenant: Tenant,
  { isRecent }: { readonly isRecent: boolean },
): Promise<{ readonly partitions: readonly LiveHours[]; readonly countedTo: number }> {
  const chains = await listChains(table, tenant);
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
    partitions.push({ ...chain, hours: checkpoint?.usage ?? [], ...archivedOf(checkpoint) });
  });
  return { partitions, countedTo };
}

function archivedOf(checkpoint: Checkpoint | undefined): Pick<LiveHours, "archived"> {
  if (checkpoint?.archived === undefined) return {};
  const { at, storedBytes } = checkpoint.archived;
  return { archived: { hour: hourOf(at), bytes: storedBytes } };
}

/** Returns all partitions of a tenant, also of streams that are being removed. */
async function listChains(table: Table, tenant: Tenant): Promise<Chain[]> {
  const chains: Chain[] = [];
  const add = (life: Life, partitions: number, retentionHours: number) => {
    for (let partition = 0; partition < partitions; partition++) {
      chains.push({ life, partition, retentionHours });
    }
  };
  for (const { life, name, partitions } of await table.removals.list()) {
    if (ownerOf(name) === tenant) add(life, partitions, 0);
  }
  let after: Parameters<Table["directory"]["list"]>[2];
  do {
    const page = await table.directory.list(tenant, STREAMS, after);
    for (const stream of page.streams) {
      const { name, uid, retentionHours } = stream;
      if (!isAuditStream(name)) add(lifeOf(name, uid), chainCount(stream), retentionHours);
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  return chains;
}
