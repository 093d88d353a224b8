import { FakeRefusal, validationError } from "./aws-error.ts";
import { charge, readUnits } from "./capacity.ts";
import { parseCondition } from "./condition.ts";
import type { Engine } from "./engine.ts";
import { type Key, parseKey } from "./key.ts";
import { type KeyRange, parseKeyCondition } from "./key-condition.ts";
import type { Operation } from "./operation.ts";
import { compareUtf8 } from "./order.ts";
import { copyItem, parseProjection } from "./projection.ts";
import { createScope, type Placeholders } from "./scope.ts";
import { firstIndex, lowerBound, type Partition } from "./table.ts";
import type { Item } from "./value.ts";
import type { View } from "./view.ts";

export type QueryInput = Placeholders & {
  readonly TableName: string;
  readonly KeyConditionExpression: string;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly ConsistentRead?: boolean;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: unknown;
  readonly Select?: string;
  readonly ReturnConsumedCapacity?: string;
};

export const queryMembers = [
  "TableName",
  "KeyConditionExpression",
  "FilterExpression",
  "ProjectionExpression",
  "ConsistentRead",
  "ScanIndexForward",
  "Limit",
  "ExclusiveStartKey",
  "Select",
  "ExpressionAttributeNames",
  "ExpressionAttributeValues",
  "ReturnConsumedCapacity",
];

/** The maximum number of items of a page that ends early. */
const SHORT_PAGE = 3;

/** Prepares a query of the table: one page, up to Limit items or the item that crosses 1 MiB. */
export const prepareQuery = (engine: Engine, input: QueryInput): Operation => {
  const { Limit, Select = "ALL_ATTRIBUTES", ConsistentRead: consistent = false } = input;
  if (Limit !== undefined && Limit < 1) throw validationError("Limit must be at least 1");
  if (Select !== "ALL_ATTRIBUTES" && Select !== "COUNT") throw new FakeRefusal(`Select ${Select}`);
  const { range, keep, pick } = parseExpressions(input);
  const after = startKey(input, range);
  const finish = (startedMs: number, partial: boolean) => {
    const most = partial ? engine.random.between(1, SHORT_PAGE) : Number.POSITIVE_INFINITY;
    const page = scanPage(engine.table.partition(range.pk), {
      range,
      after,
      forward: input.ScanIndexForward ?? true,
      limit: Math.min(Limit ?? Number.POSITIVE_INFINITY, most),
      view: engine.view(consistent, startedMs),
    });
    const kept = page.items.filter(keep);
    const read = readUnits(page.bytes, consistent);
    return {
      ...(Select === "ALL_ATTRIBUTES" && { Items: kept.map(pick) }),
      Count: kept.length,
      ScannedCount: page.items.length,
      ...(page.last !== undefined && { LastEvaluatedKey: { ...page.last } }),
      ...charge(engine.tally, input, { read }),
    };
  };
  const start = (partial = false) => {
    const startedMs = engine.nowMs();
    return { parts: [], finish: () => finish(startedMs, partial) };
  };
  return { name: "query", keys: [], range: `${range.pk} | ${range.from}..`, start };
};

const parseExpressions = (input: QueryInput) => {
  const keyCondition = parseKeyCondition(input.KeyConditionExpression);
  const { FilterExpression: filtering, ProjectionExpression: projecting } = input;
  const filter = filtering === undefined ? undefined : parseCondition(filtering);
  const projection = projecting === undefined ? undefined : parseProjection(projecting);
  const uses = [keyCondition, filter, projection].filter((each) => each !== undefined);
  const scope = createScope(input, uses);
  filter?.check(scope);
  for (const name of filter?.names ?? []) {
    if (scope.names[name] === "pk" || scope.names[name] === "sk") {
      throw validationError("Filter Expression can only contain non-primary key attributes");
    }
  }
  return {
    range: keyCondition.resolve(scope),
    keep: (item: Item): boolean => filter?.test(item, scope) ?? true,
    pick: (item: Item): Item => projection?.pick(item, scope) ?? copyItem(item),
  };
};

/** Returns where the page begins. A key that no page of this query could end with is refused. */
const startKey = (input: QueryInput, range: KeyRange): Key | undefined => {
  const { ExclusiveStartKey: given, ScanIndexForward: forward = true } = input;
  if (given === undefined || given === null) return undefined;
  const key = parseKey(copyItem(given));
  const inside = key.pk === range.pk && range.matches(key.sk);
  if (inside && !isEnd(key.sk, { range, forward })) return key;
  throw validationError("The provided starting key is outside query boundaries");
};

/**
 * Returns whether the scan ends here by its own condition. DynamoDB Local then returns no key to
 * continue from.
 */
const isEnd = (sk: string, { range, forward }: Pick<Scan, "range" | "forward">): boolean =>
  sk === (forward ? range.high : range.low);

type Scan = {
  readonly range: KeyRange;
  readonly after: Key | undefined;
  readonly forward: boolean;
  readonly limit: number;
  readonly view: View;
};

type Page = { readonly items: Item[]; readonly bytes: number; readonly last: Key | undefined };

const pageBytesMax = 2 ** 20;

const scanPage = (partition: Partition | undefined, scan: Scan): Page => {
  const items: Item[] = [];
  let bytes = 0;
  for (const sk of partition === undefined ? [] : keysInOrder(partition.sks, scan)) {
    const version = scan.view(partition?.rows.get(sk));
    if (version.item === undefined) continue;
    items.push(version.item);
    bytes += version.bytes;
    if (items.length >= scan.limit || bytes >= pageBytesMax) {
      return { items, bytes, last: isEnd(sk, scan) ? undefined : { sk, pk: scan.range.pk } };
    }
  }
  return { items, bytes, last: undefined };
};

/** Yields the sort keys of the range after the start key, in the order of the scan. */
function* keysInOrder(sks: readonly string[], scan: Scan): Generator<string> {
  const { range, after, forward } = scan;
  const beyond = (sk: string): boolean =>
    after === undefined || compareUtf8(sk, after.sk) * (forward ? 1 : -1) > 0;
  let index = forward ? lowerBound(sks, after?.sk ?? range.from) : lastIndex(sks, scan);
  if (index === sks.length && !forward) index -= 1;
  for (; index >= 0 && index < sks.length; index += forward ? 1 : -1) {
    const sk = sks[index] as string;
    if (!forward && compareUtf8(sk, range.from) < 0) return;
    if (range.matches(sk)) {
      if (beyond(sk)) yield sk;
    } else if (forward && sk !== range.from) return;
  }
}

/** Returns where a backward scan begins: at the start key, or at the last key within the range. */
const lastIndex = (sks: readonly string[], { range, after }: Scan): number => {
  if (after !== undefined) return lowerBound(sks, after.sk);
  return firstIndex(sks, (sk) => compareUtf8(sk, range.from) > 0 && !range.matches(sk)) - 1;
};
