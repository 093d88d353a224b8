import { CustomAttributeType, Entity } from "electrodb";
import type { Life } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { writeEach } from "./in-part.ts";
import type { PushId } from "./push.entity.ts";

/** A key that waits for its next attempt, or that had its last one. */
export type PushRetry = {
  readonly key: string;
  /** The event that failed. */
  readonly sequence: number;
  readonly attempts: number;
  /** When the key is retried, in milliseconds since 1970. Undefined after the last attempt. */
  readonly retryAt?: number | undefined;
};

/** A failed delivery. */
export type PushFailure = {
  readonly id: string;
  readonly key: string;
  readonly sequence: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly attempt: number;
  readonly nextAttemptAt?: number | undefined;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly answer?: string | undefined;
};

const base = {
  life: { type: CustomAttributeType<Life>("string"), required: true },
  subscriptionUid: { type: "string", required: true },
} as const;

const pk = {
  field: "pk",
  composite: ["life", "subscriptionUid"],
  template: "STREAM#${life}#SUB#${subscriptionUid}#PUSH",
  casing: "none",
} as const;

export const pushRetryEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "pushRetry", version: "1", service: "eventledger" },
      attributes: {
        ...base,
        key: { type: "string", required: true },
        sequence: { type: "number", required: true },
        attempts: { type: "number", required: true },
        retryAt: { type: "number" },
      },
      indexes: {
        primary: {
          pk: { ...pk, composite: [...pk.composite] },
          sk: { field: "sk", composite: ["key"], template: "KEY#${key}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

export const pushFailureEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "pushFailure", version: "1", service: "eventledger" },
      attributes: {
        ...base,
        place: { type: "string", required: true },
        id: { type: "string", required: true },
        key: { type: "string", required: true },
        sequence: { type: "number", required: true },
        at: { type: "number", required: true },
        attempt: { type: "number", required: true },
        nextAttemptAt: { type: "number" },
        status: { type: "number" },
        error: { type: "string" },
        answer: { type: "string" },
        expiresAt: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: { ...pk, composite: [...pk.composite] },
          sk: { field: "sk", composite: ["place"], template: "FAILED#${place}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** A row that the table's stream reports, so that a pusher runs although no event is published. */
export const pushBellEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "pushBell", version: "1", service: "eventledger" },
      attributes: { ...base, at: { type: "number", required: true } },
      indexes: {
        primary: {
          pk: { ...pk, composite: [...pk.composite] },
          sk: { field: "sk", composite: [], template: "BELL", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

type Entities = {
  readonly bell: ReturnType<typeof pushBellEntity>;
  readonly retry: ReturnType<typeof pushRetryEntity>;
  readonly failure: ReturnType<typeof pushFailureEntity>;
};

type FailurePage = {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly sinceMs: number;
};

/** A place after all failures. */
const LAST = "~";

const timeText = (ms: number): string => String(Math.max(0, ms)).padStart(14, "0");

/** The rows that a pusher keeps between its runs. */
export const pushWorkRows = (connection: Connection, { bell, retry, failure }: Entities) => ({
  /** Causes a pusher to run. `at` is in milliseconds since 1970. */
  async ring({ life, subscriptionUid }: PushId, at: number): Promise<void> {
    await writeRowsUntilKnown(connection, () => bell.put({ life, subscriptionUid, at }).go());
  },

  /** Returns the keys that failed, at most 100 for each partition. */
  async retries({ life, subscriptionUid }: PushId): Promise<PushRetry[]> {
    const { data } = await readRows(connection, () =>
      retry.query.primary({ life, subscriptionUid }).go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /** Puts and removes keys that wait, many with each request. */
  async changeRetries(
    { life, subscriptionUid }: PushId,
    { put, removed }: { readonly put: readonly PushRetry[]; readonly removed: readonly string[] },
  ): Promise<void> {
    const rows = put.map(({ retryAt, ...row }) => ({
      life,
      subscriptionUid,
      ...row,
      ...(retryAt === undefined ? {} : { retryAt }),
    }));
    const keys = removed.map((key) => ({ life, subscriptionUid, key }));
    await writeEach(connection, rows, (some) => retry.put(some).go({ unprocessed: "raw" }));
    await writeEach(connection, keys, (some) => retry.delete(some).go({ unprocessed: "raw" }));
  },

  async removeRetry({ life, subscriptionUid }: PushId, key: string): Promise<void> {
    await writeRowsUntilKnown(connection, () => retry.delete({ life, subscriptionUid, key }).go());
  },

  /** Records failed deliveries until `expiresAt`, in seconds since 1970. */
  async addFailures(
    { life, subscriptionUid }: PushId,
    failures: readonly (PushFailure & { readonly random: string })[],
    expiresAt: number,
  ): Promise<void> {
    const rows = failures.map(({ nextAttemptAt, status, error, answer, random, ...row }) => ({
      life,
      subscriptionUid,
      place: `${timeText(row.at)}.${random}`,
      ...row,
      ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
      ...(status === undefined ? {} : { status }),
      ...(error === undefined ? {} : { error }),
      ...(answer === undefined ? {} : { answer }),
      expiresAt,
    }));
    await writeEach(connection, rows, (some) => failure.put(some).go({ unprocessed: "raw" }));
  },

  /**
   * Returns a page of failures since a time in milliseconds since 1970, the newest first, and
   * whether there are more. The store removes older ones some days late.
   */
  async failures(
    { life, subscriptionUid }: PushId,
    { limit, before = LAST, sinceMs }: FailurePage,
  ): Promise<{ readonly failures: (PushFailure & { readonly place: string })[]; more: boolean }> {
    const { data } = await readRows(connection, () =>
      failure.query
        .primary({ life, subscriptionUid })
        .between({ place: timeText(sinceMs) }, { place: before })
        .go({ limit: limit + 2, order: "desc" }),
    );
    const found = data.filter(({ place }) => place !== before);
    return { failures: found.slice(0, limit), more: found.length > limit };
  },

  /** Removes the failures of a key's events up to the sequence `until`. */
  async removeFailures(
    { life, subscriptionUid }: PushId,
    { key, until }: { readonly key: string; readonly until: number },
  ): Promise<void> {
    const { data } = await readRows(connection, () =>
      failure.query
        .primary({ life, subscriptionUid })
        .go({ pages: "all", consistent: true, attributes: ["place", "key", "sequence"] }),
    );
    for (const { place, ...of } of data) {
      if (of.key !== key || of.sequence > until) continue;
      await writeRowsUntilKnown(connection, () =>
        failure.delete({ life, subscriptionUid, place }).go(),
      );
    }
  },

  /** Removes everything that was remembered. */
  async removeAll(id: PushId): Promise<void> {
    const { life, subscriptionUid } = id;
    await writeRowsUntilKnown(connection, () => bell.delete({ life, subscriptionUid }).go());
    for (const { key } of await this.retries(id)) await this.removeRetry(id, key);
    const { data } = await readRows(connection, () =>
      failure.query.primary({ life, subscriptionUid }).go({ pages: "all", attributes: ["place"] }),
    );
    for (const { place } of data) {
      await writeRowsUntilKnown(connection, () =>
        failure.delete({ life, subscriptionUid, place }).go(),
      );
    }
  },
});
