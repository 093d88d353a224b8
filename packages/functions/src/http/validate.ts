import { LedgerError } from "@eventledger/core";
import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler, ValidationTargets } from "hono";
import type * as z from "zod";
import { resolver, uniqueSymbol } from "#describe";
import {
  fieldsOfIssues,
  invalidField,
  sentence,
  within,
  wording,
} from "./formats/invalid-fields.ts";
import { parseMediaType } from "./formats/media-type.ts";

/** Where the parts of a request stand in the pointers of a problem. */
const POINTER_ROOTS: Partial<Record<keyof ValidationTargets, string>> = {
  json: "",
  query: "/query",
  param: "/path",
};

/**
 * Validates one part of a request with a protocol schema and describes it in the OpenAPI document.
 * What is wrong becomes one `invalid-request` that names every place.
 */
export const valid = <T extends z.ZodType, K extends "json" | "query" | "param">(
  target: K,
  schema: T,
) =>
  Object.assign(
    zValidator(
      target,
      schema,
      (result) => {
        if (!result.success) throw toLedgerError(POINTER_ROOTS[target] ?? "", result.error.issues);
      },
      {
        validationFunction: (with_, value) =>
          with_.safeParseAsync(value, { error: wording }) as never,
      },
    ),
    { [uniqueSymbol]: { target, ...resolver(schema) } },
  );

/** Refuses bodies that do not say they are JSON, instead of taking them for empty ones. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const contentType = c.req.header("content-type");
  const mediaType = parseMediaType(contentType);
  if (mediaType?.essence !== "application/json") {
    const detail = contentType === undefined ? "The request has no Content-Type." : "";
    throw new LedgerError("unsupported-media-type", {
      detail: `${detail} Send application/json.`.trim(),
    });
  }
  await next();
};

function toLedgerError(root: string, issues: readonly z.core.$ZodIssue[]): LedgerError {
  const errors = fieldsOfIssues(issues).map(({ path, detail }) =>
    invalidField(within({ pointer: root }, ...path), detail),
  );
  const [first] = errors;
  return new LedgerError("invalid-request", {
    detail: first === undefined ? "The request is not valid." : sentence(first),
    errors,
  });
}
