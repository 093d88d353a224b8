import type { PushFormat } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";

/**
 * A secret that signs deliveries, encrypted. With `until` it has a successor and ends then. A
 * `prepared` one is shown by the next rotation, and not before.
 */
export type SealedSecret = {
  readonly sealed: Uint8Array;
  readonly until?: number;
  readonly prepared?: boolean;
};

/** The outage of an endpoint that refuses everything. Times are milliseconds since 1970. */
export type Outage = {
  readonly since: number;
  /** The number of failed probes. */
  readonly step: number;
  readonly probeAt: number;
};

const DISABLED = ["asked", "gone", "failing", "retention-passed", "outside-prefix"] as const;
/** Why a push is disabled. */
export type Disabled = (typeof DISABLED)[number];

/** The endpoint of a subscription. */
export type PushRow = {
  readonly life: Life;
  readonly subscriptionUid: string;
  readonly name: ScopedName;
  readonly subscription: string;
  readonly url: string;
  readonly format: PushFormat;
  readonly concurrency: number;
  readonly timeoutSeconds: number;
  /** The prefix that the caller who set the endpoint is bound to. Other keys are not sent there. */
  readonly keyPrefix?: string;
  readonly disabled?: Disabled;
  /** Why the server has disabled it while the audit stream could not be written. */
  readonly unrecorded?: Disabled;
  readonly outage?: Outage;
  /** The keys that the endpoint has refused since it last accepted an event. */
  readonly streak?: readonly string[];
  /** The first one is the newest. All of them sign. */
  readonly secrets: readonly SealedSecret[];
  readonly createdAt: number;
  /** Counts the changes of the row. */
  readonly version: number;
  /** Until when a pusher is at work that looks for new events once more before it ends. */
  readonly awakeUntil?: number;
};

/** Identifies a push: the life of a stream, and a subscription of it. */
export type PushId = Pick<PushRow, "life" | "subscriptionUid">;

/** The attributes that a change of the row sets. `null` removes one. */
export type PushChange = Partial<
  Pick<PushRow, "url" | "format" | "concurrency" | "timeoutSeconds" | "secrets" | "streak">
> & {
  readonly disabled?: PushRow["disabled"] | null;
  readonly unrecorded?: Disabled | null;
  readonly outage?: Outage | null;
  readonly keyPrefix?: string | null;
};

export const pushEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "push", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        subscriptionUid: { type: "string", required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        subscription: { type: "string", required: true },
        url: { type: "string", required: true },
        format: { type: ["standard", "cloudevents"] as const, required: true },
        concurrency: { type: "number", required: true },
        timeoutSeconds: { type: "number", required: true },
        keyPrefix: { type: "string" },
        disabled: { type: DISABLED },
        unrecorded: { type: DISABLED },
        outage: { type: CustomAttributeType<Outage>("any") },
        streak: { type: CustomAttributeType<readonly string[]>("any") },
        secrets: { type: CustomAttributeType<readonly SealedSecret[]>("any"), required: true },
        createdAt: { type: "number", required: true },
        version: { type: "number", required: true },
        awakeUntil: { type: "number" },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: [], template: "PUSHES", casing: "none" },
          sk: {
            field: "sk",
            composite: ["life", "subscriptionUid"],
            template: "STREAM#${life}#SUB#${subscriptionUid}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

export const pushRows = (connection: Connection, entity: ReturnType<typeof pushEntity>) => ({
  /** Puts a new push. Returns false when there is one. */
  async create(row: PushRow): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity.create(row).go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Returns a push, strongly consistent. */
  async load({ life, subscriptionUid }: PushId): Promise<PushRow | undefined> {
    const { data } = await readRows(connection, () =>
      entity.get({ life, subscriptionUid }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /** Returns the pushes of a life, or of all streams. */
  async list(life?: Life): Promise<PushRow[]> {
    const { data } = await readRows(connection, () =>
      entity.query
        .primary(life === undefined ? {} : { life })
        .go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /**
   * Changes a push if it is still as it was read. Returns the new row. Undefined when another
   * request has changed it, or an earlier attempt of this same call.
   */
  async change(
    { life, subscriptionUid, version }: PushRow,
    { disabled, unrecorded, outage, keyPrefix, ...set }: PushChange,
  ): Promise<PushRow | undefined> {
    const removed = [
      ...(keyPrefix === null ? (["keyPrefix"] as const) : []),
      ...(disabled === null ? (["disabled"] as const) : []),
      ...(unrecorded === null ? (["unrecorded"] as const) : []),
      ...(outage === null ? (["outage"] as const) : []),
    ];
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, subscriptionUid })
        .set({
          ...set,
          ...(keyPrefix ? { keyPrefix } : {}),
          ...(disabled ? { disabled } : {}),
          ...(unrecorded ? { unrecorded } : {}),
          ...(outage ? { outage } : {}),
          version: version + 1,
        })
        .remove(removed)
        .where((row, { eq }) => eq(row.version, version))
        .go({ response: "all_new", returnOnConditionCheckFailure: true }),
    );
    return rejected || data === null ? undefined : (data as PushRow);
  },

  /** Records that a pusher is at work until then. Returns false while a different one is. */
  async wake(
    { life, subscriptionUid }: PushId,
    { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
  ): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, subscriptionUid })
        .set({ awakeUntil: untilMs })
        .where(({ awakeUntil }, { notExists, lte, eq }) => {
          const isFree = `${notExists(awakeUntil)} OR ${lte(awakeUntil, nowMs)}`;
          return `${isFree} OR ${eq(awakeUntil, untilMs)}`;
        })
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Records that the pusher that is at work until then has ended. */
  async rest({ life, subscriptionUid }: PushId, untilMs: number): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      entity
        .patch({ life, subscriptionUid })
        .remove(["awakeUntil"])
        .where(({ awakeUntil }, { eq }) => eq(awakeUntil, untilMs))
        .go({ returnOnConditionCheckFailure: true }),
    );
  },

  async remove({ life, subscriptionUid }: PushId): Promise<void> {
    await writeRowsUntilKnown(connection, () => entity.delete({ life, subscriptionUid }).go());
  },
});
