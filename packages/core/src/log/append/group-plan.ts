import type { AppendRequest } from "./append-plan.ts";
import { ONE_BATCH } from "./claim-plan.ts";
import { writesExpectedKey } from "./expectation-plan.ts";

/** The maximum number of requests with an idempotency key in one group. */
const JOINED_RECEIPTS_MAX = 25;

/** The resources that no two appends in flight may share: a partition's end, an idempotency key. */
export const resourcesOf = ({ partitions, idempotency }: AppendRequest): string[] => [
  ...partitions.map((partition) => `P${partition}`),
  ...(idempotency === undefined ? [] : [`K${idempotency.key}`]),
];

type Item = { readonly request: AppendRequest };

/** Requests of one group, and their total size. */
type Group<W extends Item> = {
  readonly items: W[];
  bytes: number;
  events: number;
  receipts: number;
};

/**
 * Decides which waiting requests start now, and which of them share a group. It considers requests
 * in the order of arrival. A request that has to wait keeps its place in all its partitions, so no
 * later request overtakes it there. Requests of one partition join a group of the same one. A
 * request that expects something of a key which the group writes does not join, because its
 * expectation can be judged only after the group is written. Pure. `busy` is not changed.
 */
export function planGroups<W extends Item>(
  waiting: readonly W[],
  busy: ReadonlySet<string>,
): W[][] {
  const taken = new Set(busy);
  const groups: Group<W>[] = [];
  /** For each partition, the group that a request of only that partition may join. */
  const open = new Map<string, Group<W>>();
  for (const item of waiting) {
    const resources = resourcesOf(item.request);
    const partition = onlyPartition(item);
    const group = partition === undefined ? undefined : open.get(partition);
    if (group !== undefined && admits(group, item, taken)) {
      add(group, item);
    } else if (group === undefined && areFree(resources, taken)) {
      const begun = groupOf([item]);
      groups.push(begun);
      if (partition !== undefined) open.set(partition, begun);
    } else {
      closeAll(open, resources);
    }
    for (const resource of resources) taken.add(resource);
  }
  return groups.map(({ items }) => items);
}

/**
 * Returns the waiting requests that may join a one-partition group that has to start again: the
 * first ones of its partition, up to one that does not fit or needs a second partition.
 */
export function planJoiners<W extends Item>(
  group: readonly W[],
  waiting: readonly W[],
  busy: ReadonlySet<string>,
): W[] {
  const [first] = group;
  const partition = first && onlyPartition(first);
  if (partition === undefined) return [];
  const taken = new Set(busy);
  const grown = groupOf(group);
  const samePartition = waiting.filter(({ request }) => resourcesOf(request).includes(partition));
  for (const item of samePartition) {
    if (!admits(grown, item, taken)) break;
    for (const resource of resourcesOf(item.request)) taken.add(resource);
    add(grown, item);
  }
  return grown.items.slice(group.length);
}

const areFree = (resources: readonly string[], taken: ReadonlySet<string>): boolean =>
  resources.every((resource) => !taken.has(resource));

function closeAll(open: Map<string, unknown>, resources: readonly string[]): void {
  for (const resource of resources) open.delete(resource);
}

/** Returns the partition of a request that has only one. */
const onlyPartition = ({ request }: Item): string | undefined =>
  request.partitions.length === 1 ? resourcesOf(request)[0] : undefined;

function groupOf<W extends Item>(items: readonly W[]): Group<W> {
  const group = { items: [], bytes: 0, events: 0, receipts: 0 };
  for (const item of items) add(group, item);
  return group;
}

function add<W extends Item>(group: Group<W>, item: W): void {
  const { bytes, drafts, idempotency } = item.request;
  group.items.push(item);
  group.bytes += bytes;
  group.events += drafts.length;
  group.receipts += idempotency === undefined ? 0 : 1;
}

/** Returns whether a request still fits into the batch of a one-partition group. */
function admits<W extends Item>(group: Group<W>, item: W, taken: ReadonlySet<string>): boolean {
  const { request } = item;
  const { bytes, events, receipts } = groupOf([item]);
  return (
    request.partitions.length === 1 &&
    areFree(resourcesOf(request).slice(1), taken) &&
    !writesExpectedKey(group.items, request) &&
    group.bytes + bytes <= ONE_BATCH.bytesMax &&
    group.events + events <= ONE_BATCH.eventsMax &&
    group.receipts + receipts <= JOINED_RECEIPTS_MAX
  );
}
