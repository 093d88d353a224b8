import type {
  ListedSubscription,
  PatchedSubscription,
  PatchSubscription,
  Place,
  SeekBody,
  SeekReceipt,
  Start,
  Subscription,
  SubscriptionInfo,
} from "@eventledger/protocol";
import { type Bounds, coversDelivery } from "../access/permission.ts";
import { formatListCursor } from "../cursor/list-cursor.ts";
import { subscriptionNotFound } from "../kernel/error.ts";
import { fittingItems, type StatsPage } from "../kernel/list-page.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import { statusOf } from "../push/push-plan.ts";
import { ringChanged } from "../push/ring-changed.ts";
import {
  createSubscriptionInfo,
  measuredAtOnce,
  toSubscription,
} from "../status/subscription-info.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { type Covers, listCovered } from "../subscription/covered.ts";
import {
  progressAtCursor,
  progressSince,
  type SeekTarget,
  seek,
} from "../subscription/position/seek.ts";
import { change } from "../subscription/settings/change.ts";
import type { NewSubscription } from "../subscription/settings/config.ts";
import type { Parts } from "./parts.ts";
import { normalPlace } from "./places.ts";

/** Creates, lists, describes, changes, moves and deletes subscriptions. */
export function subscriptionOperations(parts: Parts) {
  const { table, streams, log, cursors, places, subscriptions } = parts;
  const info = createSubscriptionInfo(parts);

  function targetOf(stream: LiveStream, place: Start): SeekTarget {
    if (place === "bootstrap") return place;
    if (typeof place === "object" && "since" in place) {
      return { since: places.ofSince(stream, place.since) };
    }
    return places.ofBody(stream, place, { pointer: "/to" });
  }

  return {
    async createSubscription(
      tenant: Tenant,
      name: string,
      config: Omit<NewSubscription, "start"> & { readonly start: Place },
    ): Promise<{ subscription: Subscription; created: boolean }> {
      return streams.useNow(tenant, name, async (stream) => {
        await parts.room.assertForSubscription(tenant, name, config.name);
        const start = normalPlace(config.start);
        const asked = { ...config, start };
        const { row, created } = await subscriptions.create(stream, asked, async () => {
          if (start === "bootstrap") return undefined;
          if (typeof start === "object" && "since" in start) {
            const since = places.ofSince(stream, start.since);
            return progressSince(parts, stream, since, { keyPrefix: config.filter?.keyPrefix });
          }
          const place = places.ofBody(stream, start, { pointer: "/start" });
          return typeof place === "object" && "cursor" in place
            ? progressAtCursor(log, stream, place.cursor, config.filter?.keyPrefix)
            : { positions: await log.seek(stream, place), bootstrap: undefined };
        });
        return { subscription: toSubscription(stream, row), created };
      });
    },

    /**
     * Throws `subscription-not-found` when the subscription is outside the bounds. The check uses
     * this process's cached copy, which may be a few seconds old.
     */
    async assertReaches(tenant: Tenant, name: string, subscription: string, bounds: Bounds) {
      await streams.use(tenant, name, async (stream) => {
        const { row } = await subscriptions.recall(stream, subscription);
        if (!coversDelivery(bounds, row)) throw subscriptionNotFound();
      });
    },

    /** Lists the subscriptions within the bounds. */
    async listSubscriptions(
      tenant: Tenant,
      name: string,
      { limit, cursor, stats = false }: StatsPage,
      bounds: Bounds = {},
    ) {
      return streams.useNow(tenant, name, async (stream) => {
        const list = `subscriptions ${stream.uid}` as const;
        const after = cursor === undefined ? undefined : cursors.parseListed(list, cursor);
        const covers: Covers = (row) => coversDelivery(bounds, row);
        const most = stats ? Math.min(limit, measuredAtOnce(stream)) : limit;
        const page = await listCovered(table, stream, covers, { limit: most, after });
        const listed: ListedSubscription[] = stats
          ? await info.measureListed(stream, page.subscriptions)
          : page.subscriptions.map((row) => toSubscription(stream, row));
        const found = fittingItems(listed);
        const isCut = found.length < listed.length;
        const next = isCut ? (found.at(-1)?.name ?? null) : page.next;
        return {
          subscriptions: [...found],
          cursor: next === null ? null : formatListCursor(list, next),
        };
      });
    },

    async getSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
    ): Promise<SubscriptionInfo> {
      return streams.useNow(tenant, name, async (stream) => {
        const state = await subscriptions.load(stream, subscription);
        const id = { life: stream.life, subscriptionUid: state.row.uid };
        const [described, push] = await Promise.all([
          info.describe(stream, state),
          table.pushes.load(id),
        ]);
        return { ...described, ...(push === undefined ? {} : { push: statusOf(push) }) };
      });
    },

    /** Changes settings. See `change` for the effect of a new filter. */
    async patchSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
      asked: PatchSubscription,
    ): Promise<PatchedSubscription> {
      return streams.useNow(tenant, name, async (stream) => {
        const { state, warnings } = await change(parts, stream, subscription, asked);
        log.notifier.notify(stream.life);
        await ringChanged(parts, stream, subscription);
        return { ...toSubscription(stream, state.row), warnings: [...warnings] };
      });
    },

    /** Throws `subscription-not-found` for a subscription outside the bounds. */
    async deleteSubscription(
      tenant: Tenant,
      name: string,
      subscription: string,
      bounds: Bounds = {},
    ): Promise<void> {
      await streams.useNow(tenant, name, async (stream) => {
        await subscriptions.remove(stream, subscription, (row) => coversDelivery(bounds, row));
      });
    },

    /** Moves a subscription back or forward on purpose. A dry run moves nothing. */
    async seek(
      tenant: Tenant,
      name: string,
      subscription: string,
      { to, dryRun: isDryRun = false }: SeekBody,
    ): Promise<SeekReceipt> {
      return streams.useNow(tenant, name, async (stream) => {
        const place = normalPlace(to);
        const target = targetOf(stream, place);
        const sought = await seek(parts, stream, subscription, target, { isDryRun });
        if (!isDryRun) {
          log.notifier.notify(stream.life);
          await ringChanged(parts, stream, subscription);
        }
        return { ...sought, committed: cursors.format(sought.committed), life: lifeText(stream) };
      });
    },
  };
}
