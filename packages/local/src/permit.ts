import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { PrepareS3 } from "@eventledger/core";
import type { ObjectOperation, TableOperation } from "../../../infra/operations.ts";

/** An item of a transaction, under the name of the operation that needs a permission for it. */
type TransactItem = Partial<Record<"Put" | "Update" | "Delete" | "ConditionCheck" | "Get", object>>;

/**
 * Returns the operations that a role needs permission for when a request is sent. For a transaction
 * these are the operations of its items.
 */
export function operationsOf(name: string, input: object): string[] {
  if (!name.startsWith("Transact")) return [name];
  const { TransactItems = [] } = input as { TransactItems?: TransactItem[] };
  return [
    ...new Set(TransactItems.flatMap((item) => Object.keys(item).map((one) => `${one}Item`))),
  ];
}

/** Makes a client refuse every operation that is not allowed, as IAM does. */
export function permitOnly(client: DynamoDBClient, allowed: readonly TableOperation[]): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName).replace(/Command$/, "");
      const denied = operationsOf(name, args.input).find(
        (operation) => !allowed.some((one) => one === operation),
      );
      if (denied !== undefined) throw accessDenied(`dynamodb:${denied}`, "AccessDeniedException");
      return next(args);
    },
    { step: "initialize", name: "permitOnly", priority: "high" },
  );
}

const ACTIONS: Readonly<Record<string, ObjectOperation>> = {
  GetObject: "GetObject",
  HeadObject: "GetObject",
  PutObject: "PutObject",
  DeleteObjects: "DeleteObject",
};

/** Makes an S3 client refuse every operation that is not allowed, as IAM does. */
export const permitObjects =
  (allowed: readonly ObjectOperation[]): PrepareS3 =>
  (client) =>
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const name = String(context.commandName).replace(/Command$/, "");
        const action = ACTIONS[name];
        const isAllowed = name === "ListObjectsV2" || allowed.some((one) => one === action);
        if (!isAllowed) throw accessDenied(`s3:${action ?? name}`, "AccessDenied");
        return next(args);
      },
      { step: "initialize", name: "permitObjects", priority: "high" },
    );

const accessDenied = (action: string, name: string): Error =>
  Object.assign(new Error(`The role is not authorized to perform: ${action}`), {
    name,
    $fault: "client",
    $metadata: { httpStatusCode: 400 },
  });
