import type { KeyScope } from "@eventledger/protocol";
import { CustomAttributeType, Entity } from "electrodb";
import type { Tenant } from "../model/names.ts";
import { readRows, writeRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { readEach } from "./in-part.ts";
import { type FirstScope, firstScopesOf, scopesOf } from "./key-scopes.ts";

/** A secret that was replaced and is still accepted for a while. */
export type FormerSecret = { readonly hash: string; readonly validUntil: number };

/** An API key. Times are milliseconds since 1970. Only the SHA-256 of secrets is kept. */
export type ApiKeyRow = {
  readonly id: string;
  readonly tenant: Tenant;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly streams: readonly string[];
  /** Absent: all subscriptions of the streams. */
  readonly subscriptions?: readonly string[];
  /** Absent: any key. */
  readonly keyPrefix?: string;
  readonly hash: string;
  readonly former: readonly FormerSecret[];
  readonly createdAt: number;
  readonly createdBy: string;
  /** The keys that it descends from, the first one first. Absent in old rows. */
  readonly ancestors?: readonly string[];
  /** This is not the table's TTL attribute, so an expired key is listed until it is deleted. */
  readonly validUntil: number;
  readonly usedAt?: number;
  readonly rotatedAt?: number;
  /** True when the key has a quota. */
  readonly limited?: boolean;
};

/** The attributes that a rotation changes. */
export type Rotation = Required<Pick<ApiKeyRow, "hash" | "former" | "rotatedAt" | "validUntil">>;

export const apiKeyEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "apiKey", version: "1", service: "eventledger" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        name: { type: "string", required: true },
        scopes: { type: CustomAttributeType<readonly FirstScope[]>("any"), required: true },
        grants: { type: CustomAttributeType<readonly KeyScope[]>("any") },
        streams: { type: CustomAttributeType<readonly string[]>("any"), required: true },
        subscriptions: { type: CustomAttributeType<readonly string[]>("any") },
        keyPrefix: { type: "string" },
        hash: { type: "string", required: true },
        former: { type: CustomAttributeType<readonly FormerSecret[]>("any"), required: true },
        createdAt: { type: "number", required: true },
        createdBy: { type: "string", required: true },
        ancestors: { type: CustomAttributeType<readonly string[]>("any") },
        validUntil: { type: "number", required: true },
        usedAt: { type: "number" },
        rotatedAt: { type: "number" },
        limited: { type: "boolean" },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["id"], template: "KEY#${id}", casing: "none" },
          sk: { field: "sk", composite: [], template: "META", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** The list of a tenant's keys, so that listing needs no index. */
export const keyDirectoryEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "keyDirectory", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        id: { type: "string", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["tenant"], template: "TENANT#${tenant}", casing: "none" },
          sk: { field: "sk", composite: ["id"], template: "KEY#${id}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** No id sorts between an id and that id followed by `AFTER_ID`, and none sorts after `LAST`. */
const AFTER_ID = "!";
const LAST = "~";

/** Returns the stored form of a key. */
export const toStoredApiKey = (row: ApiKeyRow) => ({
  ...row,
  scopes: firstScopesOf(row),
  grants: row.scopes,
});

type StoredApiKey = Omit<ApiKeyRow, "scopes"> & Parameters<typeof scopesOf>[0];

const toApiKeyRow = ({ scopes, grants, ...row }: StoredApiKey): ApiKeyRow => ({
  ...row,
  scopes: scopesOf({ scopes, grants }),
});

export const apiKeyRows = (
  connection: Connection,
  apiKey: ReturnType<typeof apiKeyEntity>,
  directory: ReturnType<typeof keyDirectoryEntity>,
) => ({
  /** Returns the key of that id, of any tenant, strongly consistent. */
  async load(id: string): Promise<ApiKeyRow | undefined> {
    const { data } = await readRows(connection, () => apiKey.get({ id }).go({ consistent: true }));
    return data === null ? undefined : toApiKeyRow(data);
  },

  /** Returns up to `limit` of a tenant's keys, by id, after `after`. `next` is null at the end. */
  async list(
    tenant: Tenant,
    limit: number,
    after = "",
  ): Promise<{ keys: ApiKeyRow[]; next: string | null }> {
    const page = await readRows(connection, () =>
      directory.query
        .primary({ tenant })
        .between({ id: `${after}${AFTER_ID}` }, { id: LAST })
        .go({ limit, pages: 1, consistent: true }),
    );
    const next = page.cursor === null ? null : (page.data.at(-1)?.id ?? null);
    if (page.data.length === 0) return { keys: [], next };
    const ids = page.data.map(({ id }) => ({ id }));
    const rows = await readEach(connection, ids, (keys) =>
      apiKey.get(keys).go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
    const keys = rows.flatMap((row) => (row?.tenant === tenant ? [toApiKeyRow(row)] : []));
    return { keys, next };
  },

  /**
   * Replaces the secret, if its hash is still `from`. Returns false when the hash has changed, or
   * the key is gone. Repeating the call is harmless.
   */
  async rotate(id: string, from: string, rotation: Rotation): Promise<boolean> {
    const { rejected, data } = await writeRowsUntilKnown(connection, () =>
      apiKey
        .patch({ id })
        .set(rotation)
        .where((row, { eq }) => eq(row.hash, from))
        .go({ response: "all_new", returnOnConditionCheckFailure: "all_old" }),
    );
    return !rejected || data?.hash === rotation.hash;
  },

  /** Records whether the key has a quota. Does nothing for a key that is gone. */
  async markLimited(id: string, limited: boolean): Promise<void> {
    await writeRowsUntilKnown(connection, () =>
      apiKey.patch({ id }).set({ limited }).go({ returnOnConditionCheckFailure: true }),
    );
  },

  /**
   * Records a use, unless one has been recorded since `before`. Does nothing for a key that is
   * gone.
   */
  async noteUse(id: string, usedAt: number, before: number): Promise<void> {
    await writeRows(() =>
      apiKey
        .patch({ id })
        .set({ usedAt })
        .where((row, { lt, notExists }) => `${notExists(row.usedAt)} OR ${lt(row.usedAt, before)}`)
        .go({ returnOnConditionCheckFailure: true }),
    );
  },
});
