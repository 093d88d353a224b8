import { FakeRefusal, tableMissing } from "./aws-error.ts";
import type { Engine } from "./engine.ts";
import { refuseUnknown } from "./members.ts";
import type { Operation } from "./operation.ts";
import { prepareQuery, type QueryInput, queryMembers } from "./query.ts";
import {
  type BatchGetInput,
  batchGetMembers,
  type GetInput,
  getMembers,
  prepareBatchGet,
  prepareGet,
} from "./read.ts";
import { prepareTransactGet, type TransactGetInput, transactGetMembers } from "./transact-get.ts";
import {
  prepareTransactWrite,
  type Tokens,
  type TransactWriteInput,
  transactWriteMembers,
} from "./transaction.ts";
import {
  type BatchWriteInput,
  batchWriteMembers,
  prepareBatchWrite,
  prepareWrite,
} from "./write.ts";
import { type WriteInput, writeMembers } from "./write-plan.ts";

/** A command of @aws-sdk/lib-dynamodb. It is recognised by the name of its class. */
export type Command = { readonly input: object };

export type Store = {
  readonly engine: Engine;
  readonly tableName: string;
  readonly tokens: Tokens;
  /** Returns a token for a transaction without one, as the SDK does. */
  readonly newToken: () => string;
};

/**
 * Parses a command. It does not read or change anything yet.
 * @throws DynamoDB's error for an invalid request, or FakeRefusal for one that is not modelled
 */
export const prepare = (store: Store, command: Command): Operation => {
  const entry = commands[command.constructor.name];
  if (entry === undefined) throw new FakeRefusal(command.constructor.name);
  refuseUnknown(command.constructor.name, command.input, entry.members);
  for (const name of tablesOf(command.input)) if (name !== store.tableName) throw tableMissing();
  return entry.prepare(store, command.input);
};

type Entry = {
  readonly members: readonly string[];
  readonly prepare: (store: Store, input: object) => Operation;
};

const commands: Readonly<Record<string, Entry>> = {
  GetCommand: {
    members: getMembers,
    prepare: ({ engine }, input) => prepareGet(engine, input as GetInput),
  },
  QueryCommand: {
    members: queryMembers,
    prepare: ({ engine }, input) => prepareQuery(engine, input as QueryInput),
  },
  BatchGetCommand: {
    members: batchGetMembers,
    prepare: ({ engine }, input) => prepareBatchGet(engine, input as BatchGetInput),
  },
  TransactGetCommand: {
    members: transactGetMembers,
    prepare: ({ engine }, input) => prepareTransactGet(engine, input as TransactGetInput),
  },
  PutCommand: {
    members: writeMembers.put,
    prepare: ({ engine }, input) => prepareWrite(engine, "put", input as WriteInput),
  },
  UpdateCommand: {
    members: writeMembers.update,
    prepare: ({ engine }, input) => prepareWrite(engine, "update", input as WriteInput),
  },
  DeleteCommand: {
    members: writeMembers.delete,
    prepare: ({ engine }, input) => prepareWrite(engine, "delete", input as WriteInput),
  },
  BatchWriteCommand: {
    members: batchWriteMembers,
    prepare: ({ engine }, input) => prepareBatchWrite(engine, input as BatchWriteInput),
  },
  TransactWriteCommand: {
    members: transactWriteMembers,
    prepare: ({ engine, tokens, newToken }, input) => {
      const request = input as TransactWriteInput;
      const token = request.ClientRequestToken ?? newToken();
      return prepareTransactWrite(engine, tokens, request, token);
    },
  },
};

type Tables = {
  readonly TableName?: string;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly TransactItems?: readonly Readonly<Record<string, { readonly TableName?: string }>>[];
};

const tablesOf = ({ TableName, RequestItems, TransactItems = [] }: Tables): readonly unknown[] => {
  if (TableName !== undefined) return [TableName];
  if (RequestItems !== undefined) return Object.keys(RequestItems);
  return TransactItems.flatMap((entry) => Object.values(entry).map((part) => part.TableName));
};
