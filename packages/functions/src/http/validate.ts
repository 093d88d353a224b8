import { LedgerError } from "@eventledger/core";
import type { InvalidField } from "@eventledger/protocol";
import { zValidator } from "@hono/zod-validator";
import type { Context, MiddlewareHandler, ValidationTargets } from "hono";
import type * as z from "zod/mini";
import { capSmallBody } from "./body-cap.ts";
import {
  BODY,
  type FieldPlace,
  fieldsOfIssues,
  invalidField,
  sentence,
  within,
  wording,
} from "./formats/invalid-fields.ts";
import { isUtf8, parseMediaType } from "./formats/media-type.ts";
import { decodeUtf8, emptyBody, parseJson } from "./formats/raw-json.ts";

/** The places of the parts of a request. */
const PLACES: Partial<Record<keyof ValidationTargets, FieldPlace>> = {
  json: BODY,
  query: { path: ["query"] },
  param: { path: ["path"] },
};

/**
 * Validates one part of a request with a schema of the protocol. The OpenAPI document describes
 * that part by the same schema. A request that fails gets one `invalid-request` that lists every
 * invalid place.
 */
export const valid = <T extends z.ZodMiniType, K extends "json" | "query" | "param">(
  target: K,
  schema: T,
) =>
  Object.assign(
    zValidator(
      target,
      schema,
      (result) => {
        if (!result.success) throw toLedgerError(PLACES[target] ?? BODY, result.error.issues);
      },
      {
        validationFunction(with_, value) {
          if (target === "query") assertSentOnce(value);
          return with_.safeParseAsync(value, { error: wording }) as never;
        },
      },
    ),
    { [VALIDATION]: { target, schema } },
  );

/** Refuses a repeated query parameter. Its values arrive as an array. */
function assertSentOnce(query: object): void {
  const repeated = Object.entries(query).filter(([, value]) => Array.isArray(value));
  const fields = repeated.map(([name]) =>
    invalidField({ path: ["query", name] }, "must be sent once"),
  );
  if (fields.length > 0) throw refusalOf(fields);
}

const VALIDATION = Symbol("validation");

/** A part of a request and the schema that validates it. */
export type Validation = {
  readonly target: "json" | "query" | "param";
  readonly schema: z.ZodMiniType;
};

/** Returns what the handler of a route validates, or undefined. */
export const validationOf = (handler: object): Validation | undefined =>
  VALIDATION in handler ? (handler[VALIDATION] as Validation) : undefined;

/**
 * Requires a JSON body. It refuses a body that is too large, before anything is parsed. It refuses
 * an empty body with any `Content-Type`, and a body that is not declared as JSON. It refuses a body
 * that is not valid JSON: a lenient parser would store something other than what was sent.
 */
export const requireJson: MiddlewareHandler = (c, next) =>
  capSmallBody(c, async () => {
    const { byteLength } = await c.req.arrayBuffer();
    if (byteLength === 0) throw emptyBody("Send a JSON object as application/json.");
    await assertJson(c);
    await next();
  });

/**
 * Requires a JSON body as `requireJson` does, except that a missing body counts as `{}` with any
 * `Content-Type`.
 */
export const jsonOrNothing: MiddlewareHandler = (c, next) =>
  capSmallBody(c, async () => {
    const { byteLength } = await c.req.arrayBuffer();
    if (byteLength > 0) await assertJson(c);
    else c.req.bodyCache.text = Promise.resolve("{}") as never;
    await next();
  });

async function assertJson(c: Context): Promise<void> {
  assertSaysJson(c.req.header("content-type"));
  parseJson(decodeUtf8(new Uint8Array(await c.req.arrayBuffer())));
}

function assertSaysJson(contentType: string | undefined): void {
  const mediaType = parseMediaType(contentType);
  if (mediaType?.essence === "application/json" && isUtf8(mediaType)) return;
  const detail = contentType === undefined ? "The request has no Content-Type." : "";
  throw new LedgerError("unsupported-media-type", {
    detail: `${detail} Send application/json in UTF-8.`.trim(),
  });
}

function toLedgerError(root: FieldPlace, issues: readonly z.core.$ZodIssue[]): LedgerError {
  const errors = fieldsOfIssues(issues).map(({ path, detail }) =>
    invalidField(within(root, ...path), detail),
  );
  return refusalOf(errors);
}

function refusalOf(errors: readonly InvalidField[]): LedgerError {
  const [first] = errors;
  return new LedgerError("invalid-request", {
    detail: first === undefined ? "The request is not valid." : sentence(first),
    errors,
  });
}
