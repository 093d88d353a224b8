import { Entity, Service } from "electrodb";
import type { FakeClient } from "./fake-dynamodb.ts";

type Line = { readonly step: string; readonly result: unknown };

/**
 * Runs a fixed script of ElectroDB operations and records the result of each. It compares two
 * stores through the library that the product uses.
 */
export const electroScript = async (client: FakeClient, table: string): Promise<Line[]> => {
  const entity = createBatch(client, table);
  const service = new Service({ batch: entity }, { client, table });
  const lines: Line[] = [];
  const note = async (step: string, run: () => Promise<unknown>): Promise<void> => {
    lines.push({ step, result: await run().catch(failure) });
  };
  await writes(entity, note);
  await reads(entity, note);
  await transactions(service, note);
  return lines;
};

type Note = (step: string, run: () => Promise<unknown>) => Promise<void>;

const failure = (error: unknown): unknown => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.name : "none";
  return { failed: error instanceof Error ? error.name : "unknown", cause };
};

// biome-ignore lint/suspicious/noTemplateCurlyInString: these are ElectroDB's own placeholders
const [PARTITION_KEY, SORT_KEY] = ["STREAM#${life}#P${partition}", "SEQ#${first}"] as const;

const createBatch = (client: FakeClient, table: string) =>
  new Entity(
    {
      model: { entity: "batch", service: "script", version: "1" },
      attributes: {
        life: { type: "string" },
        partition: { type: "number" },
        first: { type: "number", padding: { length: 14, char: "0" } },
        count: { type: "number" },
        batchId: { type: "string" },
        events: { type: "any" },
        list: { type: "list", items: { type: "string" } },
        tags: { type: "set", items: "string" },
        expiresAt: { type: "number" },
      },
      indexes: {
        primary: {
          pk: {
            field: "pk",
            composite: ["life", "partition"],
            template: PARTITION_KEY,
            casing: "none",
          },
          sk: { field: "sk", composite: ["first"], template: SORT_KEY, casing: "none" },
        },
      },
    },
    { client, table },
  );

type Batch = ReturnType<typeof createBatch>;

const at = (first: number) => ({ life: "Ab", partition: 1, first });

const writes = async (batch: Batch, note: Note): Promise<void> => {
  const seen = { returnOnConditionCheckFailure: "all_old" } as const;
  const events = new Uint8Array([1, 2, 255]);
  for (const first of [1, 4, 10, 100]) {
    await note("create", () => batch.create({ ...at(first), count: 3, events }).go(seen));
  }
  await note("create again", () => batch.create({ ...at(4), count: 9, batchId: "x" }).go(seen));
  await note("create again, unseen", () => batch.create({ ...at(4), count: 9 }).go());
  await note("put over", () => batch.put({ ...at(4), count: 2 }).go({ response: "all_old" }));
  await note("put if older", () =>
    batch
      .put({ ...at(4), count: 5, batchId: "b" })
      .where(({ count }, { lt, notExists }) => `${notExists(count)} OR ${lt(count, 3)}`)
      .go(seen),
  );
  await note("put if older, not", () =>
    batch
      .put({ ...at(4), count: 1 })
      .where(({ count }, { lt, notExists }) => `${notExists(count)} OR ${lt(count, 3)}`)
      .go(seen),
  );
  await note("patch", () =>
    batch
      .patch(at(4))
      .set({ count: 7 })
      .add({ expiresAt: 5 })
      .append({ list: ["one"] })
      .remove(["batchId"])
      .where(({ count }, { eq }) => eq(count, 5))
      .go({ response: "all_new" }),
  );
  await note("patch, wrong", () =>
    batch
      .patch(at(4))
      .set({ count: 8 })
      .where(({ count }, { eq }) => eq(count, 5))
      .go({ response: "all_new", ...seen }),
  );
  await note("patch of nothing", () => batch.patch(at(77)).set({ count: 8 }).go(seen));
  await note("subtract", () => batch.update(at(4)).subtract({ count: 2 }).go());
  await note("upsert", () => batch.upsert({ ...at(50), count: 1 }).go({ response: "all_new" }));
  await note("upsert more", () =>
    batch
      .upsert(at(50))
      .add({ count: 4 })
      .ifNotExists({ batchId: "n" })
      .go({ response: "all_new" }),
  );
  await note("tags", () =>
    batch
      .update(at(50))
      .add({ tags: ["a", "b"] })
      .go(),
  );
  await note("fewer tags", () =>
    batch
      .update(at(50))
      .delete({ tags: ["a"] })
      .go({ response: "updated_new" }),
  );
  await note("remove, wrong", () =>
    batch
      .remove(at(50))
      .where(({ batchId }, { eq }) => eq(batchId, "e"))
      .go(seen),
  );
  await note("remove", () => batch.remove(at(50)).go({ response: "all_old" }));
  await note("delete of nothing", () => batch.delete(at(50)).go({ response: "all_old" }));
};

const reads = async (batch: Batch, note: Note): Promise<void> => {
  const own = { life: "Ab", partition: 1 };
  await note("get", () => batch.get(at(4)).go({ consistent: true }));
  await note("get some", () => batch.get(at(4)).go({ attributes: ["count", "list"] }));
  await note("get nothing", () => batch.get(at(5)).go());
  await note("all", () => batch.query.primary(own).go({ pages: "all" }));
  await note("one page", () => batch.query.primary(own).go({ limit: 2 }));
  await note("last", () => batch.query.primary(own).go({ limit: 1, order: "desc" }));
  await note("from", () => batch.query.primary(own).gte({ first: 4 }).go({ consistent: true }));
  await note("after", () => batch.query.primary(own).gt({ first: 4 }).go());
  await note("up to", () => batch.query.primary(own).lte({ first: 10 }).go({ pages: "all" }));
  await note("below", () => batch.query.primary(own).lt({ first: 10 }).go({ order: "desc" }));
  await note("between", () =>
    batch.query
      .primary(own)
      .between({ first: 2 }, { first: 10 })
      .go({ attributes: ["count"] }),
  );
  await note("counted", () => batch.query.primary(own).go({ count: 3 }));
  await note("filtered", () =>
    batch.query
      .primary(own)
      .where(({ count, list }, { between, exists }) => `${between(count, 1, 4)} OR ${exists(list)}`)
      .go(),
  );
  const { cursor } = await batch.query.primary(own).go({ limit: 2 });
  await note("next page", () => batch.query.primary(own).go({ cursor, limit: 1 }));
  await note("batch get", () => batch.get([at(1), at(2)]).go({ consistent: true }));
  await note("batch put", () => batch.put([{ ...at(200), count: 1 }, at(201)]).go());
  await note("batch delete", () => batch.delete([at(200), at(201)]).go());
};

const transactions = async (service: Service<{ batch: Batch }>, note: Note): Promise<void> => {
  const seen = { response: "all_old" } as const;
  const mixed = (first: number, token: string) =>
    service.transaction
      .write(({ batch }) => [
        batch.create({ ...at(first), count: 1 }).commit(seen),
        batch.patch(at(4)).set({ count: 30 }).commit(seen),
        batch
          .check(at(10))
          .where(({ count }, { eq }) => eq(count, 3))
          .commit(seen),
        batch.delete(at(first + 1)).commit(),
      ])
      .go({ token });
  await note("transaction", () => mixed(300, "script-a"));
  await note("transaction again", () => mixed(300, "script-a"));
  await note("transaction of others", () => mixed(310, "script-a"));
  await note("transaction canceled", () => mixed(1, "script-b"));
  await note("transaction put", () =>
    service.transaction
      .write(({ batch }) => [
        batch.put({ ...at(320), events: new Uint8Array([9]) }).commit(),
        batch.upsert(at(321)).set({ count: 5 }).commit(),
      ])
      .go(),
  );
  await note("transaction get", () =>
    service.transaction
      .get(({ batch }) => [batch.get(at(320)).commit(), batch.get(at(999)).commit()])
      .go(),
  );
};
