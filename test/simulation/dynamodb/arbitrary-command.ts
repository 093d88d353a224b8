import * as lib from "@aws-sdk/lib-dynamodb";
import * as fc from "fast-check";
import {
  arbitraryAttributes,
  arbitraryCondition,
  arbitraryFilter,
  createPlaceholders,
  type Piece,
} from "./arbitrary-expression.ts";
import { arbitraryUpdate } from "./arbitrary-update.ts";
import type { Command } from "./prepare.ts";

/** A request for any table. `prefix` separates the items of different runs. */
export type Draft = {
  readonly label: string;
  readonly build: (tableName: string, prefix: string) => Command;
};

const pk = fc.constantFrom("P0", "P1");
const sk = fc.constantFrom(
  "CHECKPOINT",
  "SEQ#00000000000001",
  "SEQ#00000000000002",
  "SEQ#00000000000003",
  "SEQ#00000000000010",
  "KEY#é",
  "KEY#\uff5e",
  "KEY#😀",
);
const key = fc.record({ pk, sk });
type Key = { pk: string; sk: string };

const under = (prefix: string, { pk, sk }: Key): Key => ({ pk: `${prefix}#${pk}`, sk });

const idOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;

/**
 * Text that is long enough to cross capacity units, pages of a batch, and sometimes the item limit.
 */
const padding = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.constantFrom(900, 1024, 4096, 20_000) },
  { weight: 1, arbitrary: fc.constantFrom(390_000, 409_600) },
);
const body = fc
  .tuple(arbitraryAttributes, padding)
  .map(([attributes, size]) => ({ ...attributes, ...(size > 0 && { pad: "x".repeat(size) }) }));

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const onFailure = fc.constantFrom("ALL_OLD", "ALL_OLD", "NONE");
const returnOld = fc.constantFrom("NONE", "ALL_OLD");

/** The members of a write for its condition and its update. */
const expressions = (condition: Piece | undefined, update?: Piece) => {
  const set = createPlaceholders();
  return {
    ...(condition && { ConditionExpression: condition(set) }),
    ...(update && { UpdateExpression: update(set) }),
    ...set.members(),
  };
};

const reported = { ReturnConsumedCapacity: "TOTAL" } as const;

const put = fc
  .record({ key, body, condition: maybe(arbitraryCondition), onFailure, returnOld })
  .map(
    (draft): Draft => ({
      label: "put",
      build: (TableName, prefix) =>
        new lib.PutCommand({
          TableName,
          Item: { ...draft.body, ...under(prefix, draft.key) },
          ...expressions(draft.condition),
          ReturnValues: draft.returnOld,
          ReturnValuesOnConditionCheckFailure: draft.onFailure,
          ...reported,
        }),
    }),
  );

const update = fc
  .record({
    key,
    update: arbitraryUpdate,
    condition: maybe(arbitraryCondition),
    onFailure,
    returns: fc.constantFrom("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
  })
  .map(
    (draft): Draft => ({
      label: "update",
      build: (TableName, prefix) => {
        const parts = expressions(draft.condition, draft.update);
        const nested = /[.[]/.test(parts.UpdateExpression ?? "");
        return new lib.UpdateCommand({
          TableName,
          Key: under(prefix, draft.key),
          ...parts,
          ReturnValues: nested && draft.returns.startsWith("UPDATED") ? "ALL_NEW" : draft.returns,
          ReturnValuesOnConditionCheckFailure: draft.onFailure,
          ...reported,
        } as lib.UpdateCommandInput);
      },
    }),
  );

const remove = fc.record({ key, condition: maybe(arbitraryCondition), onFailure, returnOld }).map(
  (draft): Draft => ({
    label: "delete",
    build: (TableName, prefix) =>
      new lib.DeleteCommand({
        TableName,
        Key: under(prefix, draft.key),
        ...expressions(draft.condition),
        ReturnValues: draft.returnOld,
        ReturnValuesOnConditionCheckFailure: draft.onFailure,
        ...reported,
      }),
  }),
);

const projected = fc.uniqueArray(fc.constantFrom("pk", "sk", "n", "s", "t", "absent"), {
  minLength: 1,
});
const projection = (names: string[] | undefined): Piece | undefined =>
  names && ((set) => names.map((name) => set.name(name)).join(", "));

const read = (piece: Piece | undefined) => {
  const set = createPlaceholders();
  return { ...(piece && { ProjectionExpression: piece(set) }), ...set.members() };
};

const get = fc.record({ key, consistent: fc.boolean(), projected: maybe(projected) }).map(
  (draft): Draft => ({
    label: "get",
    build: (TableName, prefix) =>
      new lib.GetCommand({
        TableName,
        Key: under(prefix, draft.key),
        ConsistentRead: draft.consistent,
        ...read(projection(draft.projected)),
        ...reported,
      }),
  }),
);

const sortCondition = fc.oneof(
  fc.constant(undefined),
  fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), sk).map(
    ([symbol, bound]): Piece =>
      (set) =>
        `${set.name("sk")} ${symbol} ${set.value(bound)}`,
  ),
  fc.tuple(sk, sk).map(
    ([low, high]): Piece =>
      (set) =>
        `${set.name("sk")} BETWEEN ${set.value(low)} AND ${set.value(high)}`,
  ),
  fc.constantFrom("SEQ#", "SEQ#0000000000000", "KEY#", "NONE", "K").map(
    (prefix): Piece =>
      (set) =>
        `begins_with(${set.name("sk")}, ${set.value(prefix)})`,
  ),
);

const query = fc
  .record({
    pk,
    sort: sortCondition,
    filter: fc.option(arbitraryFilter, { nil: undefined, freq: 3 }),
    projected: maybe(projected),
    consistent: fc.boolean(),
    forward: fc.boolean(),
    limit: maybe(fc.integer({ min: 1, max: 4 })),
    /** Starts anywhere, most often outside of what the condition allows. */
    stray: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
    after: fc.option(sk, { nil: undefined, freq: 1 }),
  })
  .map(
    (draft): Draft => ({
      label: "query",
      build: (TableName, prefix) => {
        const set = createPlaceholders();
        const own = under(prefix, { pk: draft.pk, sk: draft.after ?? "" });
        const from = draft.sort === undefined || draft.stray ? draft.after : undefined;
        const start = `${set.name("pk")} = ${set.value(own.pk)}`;
        return new lib.QueryCommand({
          TableName,
          KeyConditionExpression: draft.sort ? `${start} and ${draft.sort(set)}` : start,
          ...(draft.filter && { FilterExpression: draft.filter(set) }),
          ...(draft.projected && { ProjectionExpression: projection(draft.projected)?.(set) }),
          ...set.members(),
          ConsistentRead: draft.consistent,
          ScanIndexForward: draft.forward,
          ...(draft.limit && { Limit: draft.limit }),
          ...(from && { ExclusiveStartKey: own }),
          ...reported,
        } as lib.QueryCommandInput);
      },
    }),
  );

const keys = fc.oneof(
  { weight: 9, arbitrary: fc.uniqueArray(key, { minLength: 1, maxLength: 5, selector: idOf }) },
  fc.array(key, { minLength: 2, maxLength: 5 }),
);

const batchGet = fc.record({ keys, consistent: fc.boolean(), projected: maybe(projected) }).map(
  (draft): Draft => ({
    label: "batchGet",
    build: (TableName, prefix) =>
      new lib.BatchGetCommand({
        RequestItems: {
          [TableName]: {
            Keys: draft.keys.map((each) => under(prefix, each)),
            ConsistentRead: draft.consistent,
            // The projection always includes the key, so that results can be ordered.
            ...read(draft.projected && projection([...new Set(["pk", "sk", ...draft.projected])])),
          },
        },
        ...reported,
      }),
  }),
);

const batchWrite = fc.array(fc.tuple(key, maybe(body)), { minLength: 1, maxLength: 4 }).map(
  (writes): Draft => ({
    label: "batchWrite",
    build: (TableName, prefix) =>
      new lib.BatchWriteCommand({
        RequestItems: {
          [TableName]: writes.map(([key, item]) =>
            item === undefined
              ? { DeleteRequest: { Key: under(prefix, key) } }
              : { PutRequest: { Item: { ...item, ...under(prefix, key) } } },
          ),
        },
        ...reported,
      }),
  }),
);

type Part = {
  readonly kind: "Put" | "Update" | "Delete" | "ConditionCheck";
  readonly key: Key;
  readonly body: object;
  readonly update: Piece;
  readonly condition: Piece;
  readonly conditional: boolean;
  readonly onFailure: string;
};

const transactPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom<Part["kind"][]>("Put", "Update", "Delete", "ConditionCheck"),
  key,
  body,
  update: arbitraryUpdate,
  condition: arbitraryCondition,
  conditional: fc.boolean(),
  onFailure,
});

const buildPart = (part: Part, TableName: string, prefix: string) => {
  const condition = part.conditional || part.kind === "ConditionCheck" ? part.condition : undefined;
  const own = under(prefix, part.key);
  return {
    [part.kind]: {
      TableName,
      ...(part.kind === "Put" ? { Item: { ...part.body, ...own } } : { Key: own }),
      ...expressions(condition, part.kind === "Update" ? part.update : undefined),
      ReturnValuesOnConditionCheckFailure: part.onFailure,
    },
  };
};

/**
 * An item occurs only once in a transaction here. For a repeated item, DynamoDB Local checks the
 * conditions first.
 */
const transactParts = fc.uniqueArray(transactPart, {
  minLength: 1,
  maxLength: 4,
  selector: ({ key }) => idOf(key),
});

const transactWrite = fc
  .record({
    parts: transactParts,
    token: maybe(fc.constantFrom("one", "two", "three")),
  })
  .map(
    (draft): Draft => ({
      label: "transactWrite",
      build: (TableName, prefix) =>
        new lib.TransactWriteCommand({
          TransactItems: draft.parts.map((part) => buildPart(part, TableName, prefix)),
          ...(draft.token && { ClientRequestToken: `${prefix}-${draft.token}` }),
          ...reported,
        } as lib.TransactWriteCommandInput),
    }),
  );

const transactGet = keys.map(
  (each): Draft => ({
    label: "transactGet",
    build: (TableName, prefix) =>
      new lib.TransactGetCommand({
        TransactItems: each.map((key) => ({ Get: { TableName, Key: under(prefix, key) } })),
        ...reported,
      }),
  }),
);

/** Any request that the fake supports, on few keys, so that requests affect each other. */
export const arbitraryCommand: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 5, arbitrary: put },
  { weight: 6, arbitrary: update },
  { weight: 2, arbitrary: remove },
  { weight: 2, arbitrary: get },
  { weight: 4, arbitrary: query },
  batchGet,
  batchWrite,
  { weight: 4, arbitrary: transactWrite },
  transactGet,
);
