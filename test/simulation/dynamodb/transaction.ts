import {
  conditionReason,
  conflictReason,
  FakeRefusal,
  innocent,
  type Reason,
  tokenReused,
  transactionCanceled,
  transactionInProgress,
  validationError,
} from "./aws-error.ts";
import { charge, writeUnits } from "./capacity.ts";
import { type Engine, isLocked } from "./engine.ts";
import { keyId } from "./key.ts";
import { refuseUnknown } from "./members.ts";
import type { Operation, Running } from "./operation.ts";
import { refuseDuplicates } from "./read.ts";
import { newest } from "./table.ts";
import { snapshotUnits } from "./transact-get.ts";
import type { Item } from "./value.ts";
import {
  planWrite,
  type WriteInput,
  type WriteKind,
  type WritePlan,
  writeMembers,
} from "./write-plan.ts";

export type TransactWriteInput = {
  readonly TransactItems: readonly Readonly<Record<string, WriteInput>>[];
  readonly ClientRequestToken?: string;
  readonly ReturnConsumedCapacity?: string;
};

export const transactWriteMembers = [
  "TransactItems",
  "ClientRequestToken",
  "ReturnConsumedCapacity",
];

/** What the store remembers of a request token, for ten minutes after its transaction finished. */
export type Tokens = Map<string, TokenUse>;

type TokenUse = {
  readonly content: string;
  readonly state: "running" | "done";
  readonly sinceMs: number;
};

const kinds: Readonly<Record<string, WriteKind>> = {
  Put: "put",
  Update: "update",
  Delete: "delete",
  ConditionCheck: "check",
};

/**
 * Prepares a TransactWriteItems, which is all or nothing. Its items are locked from start to
 * finish. Its effects happen one by one. Only a transaction or a write of the same item could
 * notice that.
 * @param token the token that the SDK would generate when the caller gave none
 */
export const prepareTransactWrite = (
  engine: Engine,
  tokens: Tokens,
  input: TransactWriteInput,
  token: string,
): Operation => {
  const { TransactItems: items } = input;
  if (items.length < 1 || items.length > 100) {
    throw validationError("A transaction has 1 to 100 items");
  }
  const plans = items.map(planOfTransaction);
  const keys = plans.map(({ key }) => key);
  refuseDuplicates(keys, "Transaction request cannot include multiple operations on one item");
  if (plans.reduce((sum, { bytes }) => sum + bytes, 0) > 4 * 2 ** 20) {
    throw validationError("Transaction payload size cannot exceed 4MB");
  }
  const content = fingerprint(items);
  const TableName = Object.values(items[0] ?? {})[0]?.TableName ?? "";
  const reply = (units: { read?: number; write?: number }) => {
    const { ConsumedCapacity } = charge(engine.tally, { ...input, TableName }, units);
    return ConsumedCapacity === undefined ? {} : { ConsumedCapacity: [ConsumedCapacity] };
  };
  const start = (): Running => {
    if (alreadyDone(engine, tokens, token, content)) {
      const read = snapshotUnits(engine, keys);
      return { parts: [], finish: () => reply({ read }) };
    }
    const mark = (state: TokenUse["state"]): void => {
      tokens.set(token, { content, state, sinceMs: engine.nowMs() });
    };
    return begin(engine, plans, { mark, reply });
  };
  return { name: "transactWrite", keys, start };
};

const planOfTransaction = (entry: Readonly<Record<string, WriteInput>>): WritePlan => {
  const [[name, input] = ["nothing", undefined], ...others] = Object.entries(entry);
  const kind = kinds[name];
  if (kind === undefined || input === undefined || others.length > 0) {
    throw new FakeRefusal(`${name} in a transaction`);
  }
  const foreign = ["ReturnValues", "ReturnConsumedCapacity"];
  const members = writeMembers[kind].filter((member) => !foreign.includes(member));
  refuseUnknown(name, input, members);
  return planWrite(kind, input);
};

const tokenMs = 10 * 60_000;

/**
 * Returns whether this same transaction has already taken effect. A cancelled one leaves its token
 * free.
 */
const alreadyDone = (engine: Engine, tokens: Tokens, token: string, content: string): boolean => {
  const use = tokens.get(token);
  if (use === undefined) return false;
  if (use.state !== "running" && use.sinceMs + tokenMs < engine.nowMs()) {
    tokens.delete(token);
    return false;
  }
  if (use.content !== content) throw tokenReused();
  if (use.state === "running") {
    engine.tally.add("transaction.inProgress");
    throw transactionInProgress();
  }
  engine.tally.add("transaction.replayed");
  return true;
};

type Bookkeeping = {
  readonly mark: (state: TokenUse["state"]) => void;
  readonly reply: (units: { write: number }) => unknown;
};

const begin = (engine: Engine, plans: readonly WritePlan[], book: Bookkeeping): Running => {
  const outcomes = plans.map((plan) => decide(engine, plan));
  if (outcomes.some(({ reason }) => reason !== innocent)) {
    engine.tally.add("transaction.canceled");
    throw transactionCanceled(outcomes.map(({ reason }) => reason));
  }
  book.mark("running");
  for (const { key } of plans) engine.locks.add(keyId(key));
  let write = 0;
  const parts = plans.map(({ kind, key }, index) => () => {
    const { bytes } = newest(engine.table.row(key));
    write +=
      2 * (kind === "check" ? writeUnits(bytes, 0) : engine.write(key, outcomes[index]?.after));
  });
  return {
    parts,
    finish: () => {
      for (const { key } of plans) engine.locks.delete(keyId(key));
      book.mark("done");
      return book.reply({ write });
    },
  };
};

type Outcome = { readonly reason: Reason; readonly after?: Item | undefined };

const decide = (engine: Engine, plan: WritePlan): Outcome => {
  if (isLocked(engine, plan.key)) {
    engine.tally.add("conflict.transaction");
    return { reason: conflictReason };
  }
  const before = newest(engine.table.row(plan.key)).item;
  if (!plan.allows(before)) {
    return { reason: conditionReason(plan.showsItem ? before : undefined) };
  }
  try {
    return { reason: innocent, after: plan.after(before) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ValidationException") throw error;
    return { reason: { Code: "ValidationError", Message: error.message } };
  }
};

/** Returns equal texts for equal requests. Binary values are compared by their content. */
const fingerprint = (items: readonly unknown[]): string =>
  JSON.stringify(items, (_, value: unknown) => {
    if (value instanceof Set) return ["set", ...value];
    return value instanceof Uint8Array ? ["binary", Buffer.from(value).toString("base64")] : value;
  });
