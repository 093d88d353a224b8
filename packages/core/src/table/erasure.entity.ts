import { CustomAttributeType, createWriteTransaction, Entity } from "electrodb";
import type { Life, ScopedName } from "../model/names.ts";
import { readRows, writeRowsUntilKnown } from "./aws-error.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { type DeletedPage, deleteEach } from "./in-part.ts";
import { transact } from "./transaction.ts";

/**
 * What an erasure does next:
 *
 * - `announce`: append the tombstone
 * - `state`: compact up to the tombstone
 * - `rows`: rewrite the batches of the table
 * - `notes`: remove what was written down about the key's deliveries
 * - `segments`: rewrite the objects of the archive
 * - `exports`: end the exports of the stream
 * - `rest`: wait until no process can have a copy, and remove objects that no row names
 * - `done`
 */
export type ErasurePhase = (typeof PHASES)[number];

const PHASES = [
  "announce",
  "state",
  "rows",
  "notes",
  "segments",
  "exports",
  "rest",
  "done",
] as const;

/** A partition that has events of the key: those below `until` are erased. */
export type ErasedChain = { readonly partition: number; readonly until: number };

/** The job of erasing what a key has up to its tombstone. Times are milliseconds since 1970. */
export type ErasureRow = {
  readonly life: Life;
  readonly id: string;
  readonly name: ScopedName;
  readonly uid: string;
  readonly key: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly doneAt?: number;
  readonly phase: ErasurePhase;
  /** The sequence of its tombstone, once that is durable. */
  readonly tombstone?: number;
  /** The partitions of the key, the one of the tombstone last. */
  readonly chains?: readonly ErasedChain[];
  /** Where a phase continues: the place in `chains`, and a sequence. */
  readonly chain: number;
  readonly at: number;
  /** When every row of the table was rewritten. */
  readonly rowsAt?: number;
  /** The stream had exports, or is pushed to an endpoint. */
  readonly copied?: boolean;
  /** The erasure was begun again after a restore of the table. */
  readonly isRepeated?: boolean;
  /** When the last lock of an object ends that still has an erased event, as far as known. */
  readonly lockedUntil?: number;
  /** Counts the changes of the row. */
  readonly version: number;
};

/** The attributes of an erasure that a step changes. */
export type ErasureChange = Partial<
  Pick<
    ErasureRow,
    | "phase"
    | "tombstone"
    | "chains"
    | "chain"
    | "at"
    | "rowsAt"
    | "copied"
    | "isRepeated"
    | "lockedUntil"
    | "doneAt"
  >
>;

export const erasureEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "erasure", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        id: { type: "string", required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
        key: { type: "string", required: true },
        reason: { type: "string", required: true },
        createdAt: { type: "number", required: true },
        doneAt: { type: "number" },
        phase: { type: PHASES, required: true },
        tombstone: { type: "number" },
        chains: { type: CustomAttributeType<readonly ErasedChain[]>("any") },
        chain: { type: "number", required: true },
        at: { type: "number", required: true },
        rowsAt: { type: "number" },
        copied: { type: "boolean" },
        isRepeated: { type: "boolean" },
        lockedUntil: { type: "number" },
        version: { type: "number", required: true },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life"],
            template: "STREAM#${life}#ERASED",
            casing: "none",
          },
          sk: { field: "sk", composite: ["id"], template: "ERASURE#${id}", casing: "none" },
        },
      },
    },
    entityConfig(connection),
  );

/** Names an erasure that is not done, so that a sweep finds it without looking at every stream. */
export const openErasureEntity = (connection: Connection) =>
  new Entity(
    {
      model: { entity: "openErasure", version: "1", service: "eventledger" },
      attributes: {
        life: { type: CustomAttributeType<Life>("string"), required: true },
        id: { type: "string", required: true },
        name: { type: CustomAttributeType<ScopedName>("string"), required: true },
        uid: { type: "string", required: true },
      },
      indexes: {
        primary: {
          pk: { field: "pk", composite: [], template: "ERASURES", casing: "none" },
          sk: {
            field: "sk",
            composite: ["life", "id"],
            template: "STREAM#${life}#ERASURE#${id}",
            casing: "none",
          },
        },
      },
    },
    entityConfig(connection),
  );

/** The name of an erasure that is not done. */
export type OpenErasure = Pick<ErasureRow, "life" | "id" | "name" | "uid">;

type Kinds = {
  readonly erasure: ReturnType<typeof erasureEntity>;
  readonly openErasure: ReturnType<typeof openErasureEntity>;
};

/** Erasures. All reads are strongly consistent. */
export const erasureRows = (connection: Connection, kinds: Kinds) => ({
  /** Puts a new erasure and its name, both or nothing. Repeating the call is harmless. */
  async create(row: ErasureRow): Promise<void> {
    const { life, id, name, uid } = row;
    await transact(connection, () =>
      createWriteTransaction(kinds, ({ erasure, openErasure }) => [
        erasure.create(row).commit(),
        openErasure.create({ life, id, name, uid }).commit(),
      ]).go(),
    );
  },

  async load(life: Life, id: string): Promise<ErasureRow | undefined> {
    const { data } = await readRows(connection, () =>
      kinds.erasure.get({ life, id }).go({ consistent: true }),
    );
    return data ?? undefined;
  },

  /** Returns up to `limit` erasures of a life after an id, oldest first. One request. */
  async loadPage(
    life: Life,
    after: string | undefined,
    limit: number,
  ): Promise<{ erasures: ErasureRow[]; more: boolean }> {
    const query = kinds.erasure.query.primary({ life });
    const ranged = after === undefined ? query : query.gt({ id: after });
    const { data, cursor } = await readRows(connection, () =>
      ranged.go({ limit, pages: 1, consistent: true }),
    );
    return { erasures: data, more: cursor !== null };
  },

  /** Returns the names of all erasures that are not done, those of a life in their order. */
  async listOpen(): Promise<OpenErasure[]> {
    const { data } = await readRows(connection, () =>
      kinds.openErasure.query.primary({}).go({ pages: "all", consistent: true }),
    );
    return data;
  },

  /** Returns up to `limit` names of erasures of a life that are not done. */
  async listOpenOf(life: Life, limit: number): Promise<OpenErasure[]> {
    const { data } = await readRows(connection, () =>
      kinds.openErasure.query.primary({ life }).go({ limit, pages: 1, consistent: true }),
    );
    return data;
  },

  /**
   * Changes an erasure if it is still as it was read. Returns false when another process has
   * changed it, or an earlier attempt of this same call.
   */
  async change({ life, id, version }: ErasureRow, change: ErasureChange): Promise<boolean> {
    const { rejected } = await writeRowsUntilKnown(connection, () =>
      kinds.erasure
        .patch({ life, id })
        .set({ ...change, version: version + 1 })
        .where((row, { eq }) => eq(row.version, version))
        .go({ returnOnConditionCheckFailure: true }),
    );
    return !rejected;
  },

  /** Deletes the name of an erasure that is done, or whose stream is gone. */
  async close({ life, id }: Pick<ErasureRow, "life" | "id">): Promise<void> {
    await writeRowsUntilKnown(connection, () => kinds.openErasure.delete({ life, id }).go());
  },

  /** Deletes the erasures of a life, up to one page. */
  async deletePage(life: Life): Promise<DeletedPage> {
    const { data } = await readRows(connection, () =>
      kinds.erasure.query
        .primary({ life })
        .go({ limit: DELETE_PAGE, pages: 1, consistent: true, attributes: ["id"] }),
    );
    const keys = data.map(({ id }) => ({ life, id }));
    const rows = await deleteEach(connection, keys, (some) =>
      kinds.erasure.delete(some).go({ unprocessed: "raw" }),
    );
    return { rows, more: keys.length > 0 };
  },
});

const DELETE_PAGE = 25;
