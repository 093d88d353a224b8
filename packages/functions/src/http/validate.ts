import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import { zValidator } from "@hono/zod-validator";
import type { MiddlewareHandler, ValidationTargets } from "hono";
import { bodyLimit } from "hono/body-limit";
import type * as z from "zod";
import { resolver, uniqueSymbol } from "#describe";
import {
  fieldsOfIssues,
  invalidField,
  sentence,
  within,
  wording,
} from "./formats/invalid-fields.ts";
import { isUtf8, parseMediaType } from "./formats/media-type.ts";
import { decodeUtf8, parseJson } from "./formats/raw-json.ts";

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

/**
 * Refuses bodies that do not say they are JSON, instead of taking them for empty ones, and those
 * that are not: a parser that mends bytes would store what nobody has sent.
 */
export const requireJson: MiddlewareHandler = async (c, next) => {
  const contentType = c.req.header("content-type");
  const mediaType = parseMediaType(contentType);
  if (mediaType?.essence !== "application/json" || !isUtf8(mediaType)) {
    const detail = contentType === undefined ? "The request has no Content-Type." : "";
    throw new LedgerError("unsupported-media-type", {
      detail: `${detail} Send application/json in UTF-8.`.trim(),
    });
  }
  parseJson(decodeUtf8(new Uint8Array(await c.req.arrayBuffer())));
  await capSmallBody(c, next);
};

const capSmallBody = bodyLimit({
  maxSize: LIMITS.otherRequestBytesMax,
  onError: () => {
    throw new LedgerError("request-too-large", {
      detail: `The body may have ${LIMITS.otherRequestBytesMax} bytes here.`,
      facts: { otherRequestBytesMax: LIMITS.otherRequestBytesMax },
    });
  },
});

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
