import type {
  DeliveriesQuery,
  NewPush,
  Push,
  PushAttempt,
  PushDelivery,
  PushDeliveryList,
  PutPush,
  ReplayBody,
  ResendBody,
} from "@eventledger/protocol";
import { LIMITS } from "@eventledger/protocol";
import { type Bounds, coversKey } from "../access/permission.ts";
import { formatListCursor } from "../cursor/list-cursor.ts";
import { fittingItems } from "../kernel/list-page.ts";
import { DAY_MS } from "../kernel/time.ts";
import { chainOfEvent } from "../model/epochs.ts";
import type { StoredEvent } from "../model/event.ts";
import { bareName, lifeText, type Tenant } from "../model/names.ts";
import { changePush } from "../push/change-push.ts";
import {
  deliveryId,
  firstSecrets,
  portOf,
  rotateSecrets,
  sealContext,
  secretsOf,
} from "../push/endpoint.ts";
import { judge, REMEDIES, statusOf } from "../push/push-plan.ts";
import { notOfKey, pushNotFound } from "../push/push-problems.ts";
import { describeAnswer } from "../push/set-aside.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { findEvent } from "../subscription/parking/find-event.ts";
import { allParked } from "../subscription/parking/parking-plan.ts";
import { seek } from "../subscription/position/seek.ts";
import type { PushChange, PushId, PushRow } from "../table/push.entity.ts";
import type { PushFailure } from "../table/push-work.entity.ts";
import type { Parts } from "./parts.ts";

const SECRET_BYTES = 24;

/** A seek ends all parking. */
const NOTHING_PARKED: ReadonlySet<string> = new Set();

/** The list of the deliveries of a subscription. */
const listOf = (uid: string) => `deliveries ${uid}` as const;

/** Sets where the events of subscriptions are sent, and shows how that goes. */
export function pushOperations(parts: Parts) {
  const { table, clock, random, streams, subscriptions, cursors, places, log } = parts;

  /** Returns the identity of a subscription's push, and the keys that are parked. */
  async function identify(stream: LiveStream, subscription: string) {
    const state = await subscriptions.load(stream, subscription);
    const id: PushId = { life: stream.life, subscriptionUid: state.row.uid };
    return { id, parked: new Set(allParked(state).map(({ parked: { key } }) => key)) };
  }

  async function load(tenant: Tenant, name: string, subscription: string) {
    const stream = await streams.load(tenant, name);
    const { id, parked } = await identify(stream, subscription);
    const row = await table.pushes.load(id);
    if (row === undefined) throw pushNotFound();
    return { stream, row, parked };
  }

  const newSecret = (): string =>
    `whsec_${Buffer.from(random.bytes(SECRET_BYTES)).toString("base64")}`;

  const sealed = ({ life, subscriptionUid }: PushId, secret: string) => ({
    sealed: portOf(parts).seal.seal(secret, sealContext(life, subscriptionUid)),
  });

  /** Describes a push. A key that a seek, a retry or a skip has freed waits for nothing. */
  async function toView(row: PushRow, parked: ReadonlySet<string>): Promise<Push> {
    const all = await table.pushWork.retries(row);
    const retries = all.filter(({ key }) => parked.has(key));
    const { disabled, outage } = row;
    return {
      url: row.url,
      format: row.format,
      concurrency: row.concurrency,
      timeoutSeconds: row.timeoutSeconds,
      status: statusOf(row),
      ...(disabled === undefined ? {} : { disabledBecause: disabled, remedy: REMEDIES[disabled] }),
      ...(outage === undefined
        ? {}
        : {
            failingSince: new Date(outage.since).toISOString(),
            nextAttemptAt: new Date(outage.probeAt).toISOString(),
          }),
      retryingKeys: retries.filter(({ retryAt }) => retryAt !== undefined).length,
      givenUpKeys: retries.filter(({ retryAt }) => retryAt === undefined).length,
      createdAt: new Date(row.createdAt).toISOString(),
    };
  }

  /** Sends one event now, whatever the state of the push is. */
  async function sendNow(stream: LiveStream, row: PushRow, event: StoredEvent, id: string) {
    const { deliver, seal } = portOf(parts);
    const answer = await deliver({
      id,
      url: row.url,
      format: row.format,
      timeoutMs: row.timeoutSeconds * 1_000,
      secrets: secretsOf(row, seal, clock.now()),
      streamName: bareName(stream.name),
      event,
    });
    const delivered = judge(answer) === "delivered";
    return { id, delivered, ...describeAnswer(answer) } satisfies PushAttempt;
  }

  return {
    /**
     * Sets where a subscription is pushed to. The first request makes the secret. Only keys within
     * the bounds are sent there, whatever the filter of the subscription becomes.
     */
    async putPush(
      tenant: Tenant,
      name: string,
      subscription: string,
      asked: PutPush,
      { keyPrefix }: Bounds = {},
    ): Promise<{ push: Push | NewPush; created: boolean }> {
      portOf(parts).assertUrl(asked.url);
      const stream = await streams.load(tenant, name);
      const { id, parked } = await identify(stream, subscription);
      const secret = newSecret();
      const row: PushRow = {
        ...id,
        name: stream.name,
        subscription,
        ...asked,
        ...(keyPrefix === undefined ? {} : { keyPrefix }),
        secrets: firstSecrets(sealed(id, secret), () => sealed(id, newSecret())),
        createdAt: clock.now(),
        version: 0,
      };
      const created = await table.pushes.create(row);
      const to = { ...asked, keyPrefix: keyPrefix ?? null, outage: null, streak: [] };
      const now = created ? row : await changePush(table, id, () => to);
      await table.pushWork.ring(id, clock.now());
      const push = await toView(now, parked);
      return { push: created ? { ...push, secret } : push, created };
    },

    async getPush(tenant: Tenant, name: string, subscription: string): Promise<Push> {
      const { row, parked } = await load(tenant, name, subscription);
      return toView(row, parked);
    },

    /** Ends a push. Its parked keys stay parked. Does nothing when there is none. */
    async deletePush(tenant: Tenant, name: string, subscription: string): Promise<void> {
      const { id } = await identify(await streams.load(tenant, name), subscription);
      await table.pushes.remove(id);
      await table.pushWork.removeAll(id);
    },

    async switchPush(tenant: Tenant, name: string, subscription: string, on: boolean) {
      const { row, parked } = await load(tenant, name, subscription);
      const to: PushChange = on
        ? { disabled: null, outage: null, streak: [] }
        : { disabled: "asked" };
      const now = await changePush(table, row, () => to);
      if (on) await table.pushWork.ring(row, clock.now());
      return toView(now, parked);
    },

    /** Shows the next secret. The former one also signs for another day. */
    async rotatePushSecret(tenant: Tenant, name: string, subscription: string): Promise<NewPush> {
      const { row, parked } = await load(tenant, name, subscription);
      const make = () => sealed(row, newSecret());
      const now = await changePush(table, row, ({ secrets }) => ({
        secrets: rotateSecrets(secrets, clock.now(), make),
      }));
      await table.pushWork.ring(row, clock.now());
      const [secret = ""] = secretsOf(now, portOf(parts).seal, clock.now());
      return { ...(await toView(now, parked)), secret };
    },

    /** Sends an event that is not in the log. */
    async testPush(tenant: Tenant, name: string, subscription: string): Promise<PushAttempt> {
      const { stream, row } = await load(tenant, name, subscription);
      const id = `test_${Buffer.from(random.bytes(9)).toString("hex")}`;
      const event: StoredEvent = {
        sequence: 0,
        publishedAt: clock.now(),
        id,
        key: "test",
        type: "eventledger.test",
        data: "{}" as StoredEvent["data"],
      };
      return sendNow(stream, row, event, id);
    },

    /** Sends an event of the log once more. Changes neither the position nor the parked keys. */
    async resendPush(
      tenant: Tenant,
      name: string,
      subscription: string,
      { key, sequence }: ResendBody,
    ): Promise<PushAttempt> {
      const { stream, row } = await load(tenant, name, subscription);
      const partition = chainOfEvent(stream, { key, sequence });
      const { event } = await findEvent(log, stream, { partition, sequence });
      if (event.key !== key) throw notOfKey(sequence);
      return sendNow(stream, row, event, deliveryId(lifeText(stream), partition, event));
    },

    /**
     * Returns failed deliveries of keys within the bounds, the newest first. The filter of the
     * subscription may have let other keys through before it was changed.
     */
    async listPushDeliveries(
      tenant: Tenant,
      name: string,
      subscription: string,
      { limit, cursor }: Pick<DeliveriesQuery, "limit" | "cursor">,
      bounds: Bounds = {},
    ): Promise<PushDeliveryList> {
      const { row } = await load(tenant, name, subscription);
      const list = listOf(row.subscriptionUid);
      const before = cursor === undefined ? undefined : cursors.parseListed(list, cursor);
      const sinceMs = clock.now() - LIMITS.pushFailureDays * DAY_MS;
      const page = { limit, before, sinceMs };
      const { failures, more } = await table.pushWork.failures(row, page);
      const covered = failures.filter(({ key }) => coversKey(bounds, key));
      const shown = fittingItems(covered.map(toDelivery));
      const isWhole = shown.length === covered.length;
      const last = isWhole ? failures.at(-1) : covered[shown.length - 1];
      const isLast = last === undefined || (!more && isWhole);
      return {
        deliveries: [...shown],
        cursor: isLast ? null : formatListCursor(list, last.place),
      };
    },

    /**
     * Moves the subscription to a place, as a seek does, and sends everything from there once more.
     */
    async replayPush(
      tenant: Tenant,
      name: string,
      subscription: string,
      { from }: ReplayBody,
    ): Promise<Push> {
      return streams.useNow(tenant, name, async (stream) => {
        const { id } = await identify(stream, subscription);
        const row = await table.pushes.load(id);
        if (row === undefined) throw pushNotFound();
        const place = from === "earliest" ? ("earliest" as const) : { timestamp: from };
        const target = places.ofBody(stream, place, { pointer: "/from" });
        await seek(parts, stream, subscription, target);
        log.notifier.notify(stream.life);
        await table.pushWork.ring(row, clock.now());
        return toView(row, NOTHING_PARKED);
      });
    },
  };
}

const toDelivery = ({ at, nextAttemptAt, ...failure }: PushFailure): PushDelivery => ({
  id: failure.id,
  key: failure.key,
  sequence: failure.sequence,
  at: new Date(at).toISOString(),
  attempt: failure.attempt,
  ...(failure.status === undefined ? {} : { status: failure.status }),
  ...(failure.error === undefined ? {} : { error: failure.error }),
  ...(failure.answer === undefined ? {} : { answer: failure.answer }),
  ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: new Date(nextAttemptAt).toISOString() }),
});
