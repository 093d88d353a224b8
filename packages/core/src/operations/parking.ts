import type { ParkBody, ParkedKey as ParkedView, ReleaseReceipt } from "@eventledger/protocol";
import { type Cursors, invalidCursor } from "../cursor/cursor.ts";
import { formatListCursor, type ListOf } from "../cursor/list-cursor.ts";
import { fittingItems } from "../kernel/list-page.ts";
import type { Tenant } from "../model/names.ts";
import type { ParkedKey, SkippedEvent } from "../model/parking.ts";
import { ringChanged } from "../push/ring-changed.ts";
import { allParked } from "../subscription/parking/parking-plan.ts";
import type { Release } from "../subscription/parking/release-plan.ts";
import type { Parts } from "./parts.ts";

type ParkedRequest = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly keyPrefix?: string | undefined;
};

/** Parks, lists and releases keys. */
export const parkingOperations = (parts: Parts) => {
  const { cursors, streams, subscriptions, parking } = parts;
  return {
    /** Parks the key of an event, from that event on. */
    async park(tenant: Tenant, name: string, subscription: string, body: ParkBody) {
      return streams.useNow(tenant, name, async (stream) =>
        toView(await parking.park(stream, subscription, body)),
      );
    },

    /** Returns the parked keys with this prefix. Their order is stable while nothing changes. */
    async listParked(
      tenant: Tenant,
      name: string,
      subscription: string,
      { limit, cursor, keyPrefix = "" }: ParkedRequest,
    ): Promise<{ parked: ParkedView[]; cursor: string | null }> {
      return streams.useNow(tenant, name, async (stream) => {
        const state = await subscriptions.load(stream, subscription);
        const all = allParked(state).filter(({ parked }) => parked.key.startsWith(keyPrefix));
        const list = `parked ${state.row.uid}` as const;
        const after = cursor === undefined ? undefined : parsePlace(cursors, list, cursor);
        const rest = after === undefined ? all : all.filter((each) => isAfter(each, after));
        const page = rest.slice(0, limit);
        const known = new Map();
        const views = page.map(async ({ partition, parked }) => {
          const from = "sequence" in parked ? parked.sequence : parked.next;
          const queue = { key: parked.key, from, partition };
          const earliest = await parking.earliestOf(stream, queue, known);
          return toView(parked, earliest.next);
        });
        const parked = fittingItems(await Promise.all(views));
        const last = rest[parked.length - 1];
        return {
          parked: [...parked],
          cursor:
            rest.length > parked.length && last !== undefined ? formatPlace(list, last) : null,
        };
      });
    },

    /**
     * Delivers the waiting events of a key again: all of them (`retry`), or all but the first event
     * (`skip`), if that is `sequence`.
     */
    async release(
      tenant: Tenant,
      name: string,
      subscription: string,
      request: Release,
    ): Promise<ReleaseReceipt> {
      const released = await streams.useNow(tenant, name, async (stream) => {
        const state = await parking.release(stream, subscription, request);
        await ringChanged(parts, stream, subscription);
        return state;
      });
      return { key: request.key, status: released === undefined ? "free" : "retrying" };
    },
  };
};

type ListedKey = { readonly partition: number; readonly id: number };

const isAfter = (one: ListedKey, other: ListedKey): boolean =>
  one.partition > other.partition || (one.partition === other.partition && one.id > other.id);

const formatPlace = (list: ListOf, { partition, id }: ListedKey): string =>
  formatListCursor(list, `${partition}.${id}`);

function parsePlace(cursors: Cursors, list: ListOf, cursor: string): ListedKey {
  const name = cursors.parseListed(list, cursor);
  const [, partition, id] = /^(\d{1,2})\.(\d{1,15})$/.exec(name) ?? [];
  if (partition === undefined || id === undefined) throw invalidCursor("malformed");
  return { partition: Number(partition), id: Number(id) };
}

function toView(parked: ParkedKey | SkippedEvent, earliest?: number): ParkedView {
  const { key, reason, parkedAt } = parked;
  const isSkipped = "sequence" in parked;
  const sequence = isSkipped ? parked.sequence : parked.next;
  return {
    key,
    sequence,
    reason,
    parkedAt: new Date(parkedAt).toISOString(),
    status: isSkipped || parked.retrying ? "retrying" : "parked",
    ...(earliest === undefined || isSkipped || sequence >= earliest ? {} : { expired: true }),
  };
}
