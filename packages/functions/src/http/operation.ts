import type { ProblemCode } from "@eventledger/protocol";
import type * as described from "@eventledger/protocol/described";
import type { MiddlewareHandler } from "hono";
import { requireRight } from "./auth.ts";
import type { AppEnv } from "./env.ts";
import type { Tag } from "./openapi/tags.ts";
import { type OperationId, rightOf } from "./rights.ts";
import { type AskingHeader, assertKnownParts } from "./unknown-parts.ts";

/**
 * The name of a schema that is used only in the OpenAPI document. Routes hold only the name, so a
 * deployed function never creates the schema. `openapi.ts` looks it up.
 */
export type SchemaName = keyof typeof described;

export type Operation = {
  /**
   * The `operationId`: a unique verb and noun in camelCase. `RIGHTS` lists the rights of each
   * operation.
   */
  readonly id: OperationId;
  readonly tag: Tag;
  readonly summary: string;
  readonly description: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /**
   * The problems of this operation, except those of every operation and those of its validators.
   */
  readonly problems?: readonly ProblemCode[];
  /**
   * A body that the route decodes from text, by content type. `valid("json", …)` describes any
   * other body.
   */
  readonly body?: Readonly<Record<string, SchemaName>>;
  /** Parameters that no validator checks, as an object schema with one member for each. */
  readonly headers?: SchemaName;
  /** The headers among `headers` that other operations refuse. */
  readonly asked?: readonly AskingHeader[];
  readonly path?: SchemaName;
};

export type Answer = {
  readonly description: string;
  /** The schema of the body, or several schemas if the body matches one of them. */
  readonly body?: SchemaName | readonly SchemaName[];
  readonly contentType?: string;
  /** Further formats of the same answer, by content type. */
  readonly forms?: Readonly<Record<string, SchemaName>>;
  /** The descriptions of headers, by name. */
  readonly headers?: Readonly<Record<string, string>>;
};

const OPERATION = Symbol("operation");

/**
 * Describes a route: what it does, who may call it, and every answer it may give. The right that it
 * enforces is the right that it describes. `openapi.ts` generates the document from these
 * descriptions.
 */
export const operation = (of: Operation): MiddlewareHandler<AppEnv> =>
  Object.assign(
    requireRight(
      rightOf(of.id),
      (c) => assertKnownParts(c, { asked: of.asked ?? [], decodes: of.body !== undefined }),
      of.id,
    ),
    { [OPERATION]: of },
  );

/** Returns what the handler of a route declares, or undefined. */
export const operationOf = (handler: object): Operation | undefined =>
  OPERATION in handler ? (handler[OPERATION] as Operation) : undefined;
