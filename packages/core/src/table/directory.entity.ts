import { CustomAttributeType, Entity } from "electrodb";
import { type ScopedName, scopeName, type Tenant } from "../model/names.ts";
import { readRows } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { readEach } from "./in-part.ts";
import { type StreamRow, type streamEntity, toStreamRow } from "./stream.entity.ts";

/** The list of a tenant's live streams, so that listing needs no index. */
export const directoryEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "directory", version: "1", service: "eventledger" },
      attributes: {
        tenant: { type: CustomAttributeType<Tenant>("string"), required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: ["tenant"], template: "TENANT#${tenant}", casing: "none" },
          sk: { field: "sk", composite: ["name"], template: "STREAM#${name}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** All names that begin with `prefix`, or only that one. */
export type NameRange = { readonly prefix: string; readonly exact: boolean };

const EVERY_NAME: NameRange = { prefix: "", exact: false };

/** A character that sorts after all characters of names. */
const LAST = "~";

/**
 * Returns the text that follows a name in sort order. No other name sorts between the two, because
 * no character of names is lower.
 */
const nextScoped = (name: ScopedName): ScopedName => `${name}!` as ScopedName;

export const directoryRows = (
  connection: Connection,
  directory: ReturnType<typeof directoryEntity>,
  stream: ReturnType<typeof streamEntity>,
) => ({
  /**
   * Returns up to `limit` of a tenant's streams, by name, after `after`, within a range of names if
   * one is given. It leaves out streams that are being deleted. `next` is where the list continues,
   * null at its end.
   */
  async list(
    tenant: Tenant,
    limit: number,
    after?: ScopedName,
    { prefix, exact }: NameRange = EVERY_NAME,
  ): Promise<{ streams: StreamRow[]; next: ScopedName | null }> {
    const start = scopeName(tenant, prefix);
    const resumeAt = after === undefined ? start : nextScoped(after);
    // biome-ignore lint/complexity/useMathMinMax: these are strings
    const first = resumeAt > start ? resumeAt : start;
    const last = exact ? start : scopeName(tenant, `${prefix}${LAST}`);
    if (first > last) return { streams: [], next: null };
    const page = await readRows(connection, () =>
      directory.query
        .primary({ tenant })
        .between({ name: first }, { name: last })
        .go({ limit, pages: 1, consistent: true }),
    );
    const next = page.cursor === null ? null : (page.data.at(-1)?.name ?? null);
    if (page.data.length === 0) return { streams: [], next };
    const names = page.data.map(({ name }) => ({ name }));
    const rows = await readEach(connection, names, (keys) =>
      stream.get(keys).go({ preserveBatchOrder: true, consistent: true, unprocessed: "raw" }),
    );
    const live = rows.flatMap((row) => (row?.status === "live" ? [row] : []));
    return { streams: live.map((row) => toStreamRow(connection, row)), next };
  },
});
