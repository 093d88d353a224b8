import { conditionFailed, FakeRefusal, transactionConflict, validationError } from "./aws-error.ts";
import { charge, writeUnits } from "./capacity.ts";
import { type Engine, isLocked } from "./engine.ts";
import type { Operation } from "./operation.ts";
import { copyItem } from "./projection.ts";
import { refuseDuplicates } from "./read.ts";
import { newest } from "./table.ts";
import type { Item, Value } from "./value.ts";
import { planWrite, type WriteInput, type WriteKind, type WritePlan } from "./write-plan.ts";

/** Prepares a PutItem, UpdateItem or DeleteItem: one atomic conditional write. */
export const prepareWrite = (
  engine: Engine,
  kind: Exclude<WriteKind, "check">,
  input: WriteInput,
): Operation => {
  const plan = planWrite(kind, input);
  const run = () => {
    const { before, after, write } = carryOut(engine, plan);
    const Attributes = returned(plan, before, after);
    return {
      ...(Attributes !== undefined && { Attributes }),
      ...charge(engine.tally, input, { write }),
    };
  };
  return {
    name: kind,
    keys: [plan.key],
    start: () => {
      const reply = run();
      return { parts: [], finish: () => reply };
    },
  };
};

export type BatchWriteInput = {
  readonly RequestItems: Readonly<Record<string, readonly BatchWrite[]>>;
  readonly ReturnConsumedCapacity?: string;
};

type BatchWrite = {
  readonly PutRequest?: { readonly Item: unknown };
  readonly DeleteRequest?: { readonly Key: unknown };
};

export const batchWriteMembers = ["RequestItems", "ReturnConsumedCapacity"];

/**
 * Prepares a BatchWriteItem of the one table. Each write is separate, in seeded order. A write that
 * conflicts with a running transaction is returned unprocessed, and so is a random part when the
 * engine says so.
 */
export const prepareBatchWrite = (engine: Engine, input: BatchWriteInput): Operation => {
  const [[TableName, requests] = ["", []]] = Object.entries(input.RequestItems);
  if (requests.length < 1 || requests.length > 25) {
    throw validationError("A batch writes 1 to 25 items");
  }
  const plans = requests.map((request) => ({ request, plan: planOfBatch(TableName, request) }));
  const keys = plans.map(({ plan }) => plan.key);
  refuseDuplicates(keys, "Provided list of item keys contains duplicates");
  const run = (partial: boolean) => {
    const { now, later } = engine.split(plans, partial);
    const left = later.map(({ request }) => request);
    let write = 0;
    for (const { plan, request } of now) {
      if (isLocked(engine, plan.key)) left.push(request);
      else write += carryOut(engine, plan).write;
    }
    const { ConsumedCapacity } = charge(engine.tally, { ...input, TableName }, { write });
    return {
      UnprocessedItems: left.length === 0 ? {} : { [TableName]: left },
      ...(ConsumedCapacity !== undefined && { ConsumedCapacity: [ConsumedCapacity] }),
    };
  };
  const start = (partial = false) => {
    const reply = run(partial);
    return { parts: [], finish: () => reply };
  };
  return { name: "batchWrite", keys, start };
};

const planOfBatch = (TableName: string, request: BatchWrite): WritePlan => {
  const { PutRequest: put, DeleteRequest: remove, ...others } = request;
  if (Object.keys(others).length > 0) throw new FakeRefusal(Object.keys(others).join());
  if (put !== undefined) return planWrite("put", { TableName, Item: put.Item });
  return planWrite("delete", { TableName, Key: remove?.Key });
};

const carryOut = (engine: Engine, plan: WritePlan) => {
  if (isLocked(engine, plan.key)) {
    engine.tally.add("conflict.write");
    throw transactionConflict();
  }
  const { item: before, bytes } = newest(engine.table.row(plan.key));
  if (!plan.allows(before)) {
    engine.tally.add("condition.failed");
    engine.tally.add("capacity.write", writeUnits(bytes, 0));
    throw conditionFailed(plan.showsItem ? before : undefined);
  }
  const after = plan.after(before);
  return { before, after, write: engine.write(plan.key, after) };
};

const returned = (
  { returnValues, updated }: WritePlan,
  before: Item | undefined,
  after: Item | undefined,
): Item | undefined => {
  if (returnValues === "NONE") return undefined;
  const item = returnValues.endsWith("_OLD") ? before : after;
  if (item === undefined || returnValues.startsWith("ALL")) return item && copyItem(item);
  if (updated === undefined) throw new FakeRefusal(`${returnValues} of a part of an attribute`);
  const some: Record<string, Value> = {};
  for (const name of updated) if (Object.hasOwn(item, name)) some[name] = item[name] as Value;
  return Object.keys(some).length === 0 ? undefined : copyItem(some);
};
