import type { ProblemCode } from "@eventledger/protocol";
import type * as described from "@eventledger/protocol/described";
import type { MiddlewareHandler } from "hono";
import { requireRight } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import type { Tag } from "./openapi/tags.ts";
import { type OperationId, rightOf } from "./rights.ts";

/**
 * The name of a schema that checks nothing. Routes keep only the name, so a deployed function never
 * creates the schema. `openapi.ts` looks it up.
 */
export type SchemaName = keyof typeof described;

export type Operation = {
  /** A verb and a noun in camelCase, unique: the `operationId`. What it takes is in `RIGHTS`. */
  readonly id: OperationId;
  readonly tag: Tag;
  readonly summary: string;
  readonly description: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside those that every operation has, and those of whatever checks its request. */
  readonly problems?: readonly ProblemCode[];
  /** A body that is decoded as text, by content type. `valid("json", …)` describes any other. */
  readonly body?: Readonly<Record<string, SchemaName>>;
  /** Parameters that no schema checks: an object schema with a member for each. */
  readonly headers?: SchemaName;
  readonly path?: SchemaName;
};

export type Answer = {
  readonly description: string;
  /** One schema, or several of which the body is one. */
  readonly body?: SchemaName | readonly SchemaName[];
  readonly contentType?: string;
  /** Further forms of the same answer, by content type. */
  readonly forms?: Readonly<Record<string, SchemaName>>;
  /** The descriptions of headers, by name. */
  readonly headers?: Readonly<Record<string, string>>;
};

const OPERATION = Symbol("operation");

/**
 * Describes a route: what it does, who may call it, and everything it may answer. What it takes of
 * a key is enforced and described from the same table. `openapi.ts` makes the document of these.
 */
export const operation = (of: Operation): MiddlewareHandler<AppEnv> =>
  Object.assign(requireRight(rightOf(of.id)), { [OPERATION]: of });

/** Returns what a handler of a route declares, if it declares anything. */
export const operationOf = (handler: object): Operation | undefined =>
  OPERATION in handler ? (handler[OPERATION] as Operation) : undefined;
