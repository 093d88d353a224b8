import fc from "fast-check";
import type { DescribedOperation, Parameter } from "../contract/access/openapi-operations.ts";
import { fromSchema, NAMES, seldomIf, slot } from "./from-schema.ts";
import {
  hostileBody,
  hostileHeaders,
  hostileMethod,
  hostileSegment,
  hostileValue,
} from "./hostile.ts";

export type FuzzRequest = {
  readonly operation: DescribedOperation;
  readonly method: string;
  /** The path, with placeholders for ids and cursors of earlier answers. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** True if the body is sent in chunks, without its length. */
  readonly chunked: boolean;
  /** True if the request may reach a different route, or none. */
  readonly astray: boolean;
};

/**
 * Generates requests of an operation. About half of them are valid, and the others have one or
 * several faults.
 */
export function requestsOf(operation: DescribedOperation): fc.Arbitrary<FuzzRequest> {
  const oneIn = <T>(times: number, arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  return fc
    .record({
      values: fc.record(
        Object.fromEntries(operation.parameters.map((of) => [of.name, parameterOf(operation, of)])),
        { requiredKeys: operation.parameters.flatMap((of) => (of.required ? [of.name] : [])) },
      ),
      query: oneIn(8, fc.tuple(nameOf(operation), hostileValue)),
      segment: oneIn(10, fc.tuple(fc.nat(3), hostileSegment)),
      method: oneIn(25, hostileMethod),
      headers: oneIn(6, hostileHeaders),
      json: bodyOf(operation),
      hostile: oneIn(5, hostileBody),
      chunked: oneIn(4, fc.constant(true)),
    })
    .map(({ values, query, segment, method, headers, json, hostile, chunked = false }) => {
      const path = pathOf(operation, values as Record<string, unknown>, segment);
      const search = searchOf(operation, values as Record<string, unknown>, query);
      const body = hostile ?? (json === undefined ? undefined : JSON.stringify(json));
      return {
        operation,
        method: method ?? operation.method,
        path: path + search,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headerValues(operation, values as Record<string, unknown>),
          ...headers,
        },
        body,
        chunked: chunked && body !== undefined,
        astray: segment !== undefined || method !== undefined,
      };
    });
}

const parameterOf = ({ path }: DescribedOperation, of: Parameter): fc.Arbitrary<unknown> => {
  if (of.name === "key" && path.includes("/parked/")) return slot("parkedKey");
  if (of.name === "file" && path.startsWith("/console")) return slot("consoleFile");
  return seldomIf(SELDOM.has(of.name) && of.required !== true, parameter(of));
};

/** Parameters that are incompatible with most others, or with most of the existing streams. */
const SELDOM = new Set(["If-Match", "If-None-Match", "last", "order", "sequence", "until"]);

const parameter = ({ schema, in: place, name }: Parameter): fc.Arbitrary<unknown> => {
  // There are few streams, so that some of them usually exist.
  if (name === "stream") return fc.constantFrom(...NAMES, "fuzz-a", "fuzz-a", "fuzz-b", "fuzz-b");
  if (name === "subscription") return fc.constantFrom("fuzz-a", "fuzz-b");
  if (name === "If-Match") return fc.constantFrom('"0"', '"1"', "2");
  if (name === "If-None-Match") return fc.constant("*");
  if (name === "from" || name === "until")
    return fc.oneof(fc.constantFrom("earliest", "latest", "1"), slot("cursor"));
  if (name === "waitSeconds") return fc.constantFrom("0", "1");
  if (name === "file") return fc.constantFrom("swagger-ui.css", "swagger-ui-bundle.js", "start.js");
  if (place === "header") return fc.stringMatching(/^[!-~]{1,60}$/);
  return fromSchema(schema);
};

const nameOf = ({ parameters }: DescribedOperation) =>
  fc.constantFrom(
    ...parameters.filter((of) => of.in === "query").map(({ name }) => name),
    "limit",
    "unknown",
    "__proto__",
    "limit%5B%5D",
    "",
  );

const bodyOf = ({ requestBody }: DescribedOperation): fc.Arbitrary<unknown> => {
  const schema = requestBody?.content["application/json"]?.schema;
  return schema === undefined ? fc.constant(undefined) : fromSchema(schema);
};

function pathOf(
  { path }: DescribedOperation,
  values: Readonly<Record<string, unknown>>,
  hostile: readonly [number, string] | undefined,
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => escaped(values[name] ?? "k"));
  if (hostile === undefined) return filled;
  const segments = filled.split("/");
  const at = 1 + (hostile[0] % (segments.length - 1));
  return segments.with(at, hostile[1]).join("/");
}

function searchOf(
  { parameters }: DescribedOperation,
  values: Readonly<Record<string, unknown>>,
  hostile: readonly [string, string] | undefined,
): string {
  const pairs = parameters
    .filter(({ in: place, name }) => place === "query" && values[name] !== undefined)
    .map(({ name }) => `${name}=${escaped(values[name])}`);
  if (hostile !== undefined) pairs.push(hostile.join("="));
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const headerValues = (
  { parameters }: DescribedOperation,
  values: Readonly<Record<string, unknown>>,
) =>
  Object.fromEntries(
    parameters
      .filter(({ in: place, name }) => place === "header" && values[name] !== undefined)
      .map(({ name }) => [name.toLowerCase(), String(values[name])]),
  );

/** Placeholders for values of earlier answers stay unescaped. */
const escaped = (value: unknown): string =>
  encodeURIComponent(String(value))
    .replaceAll("%7B%7B", "{{")
    .replaceAll("%7D%7D", "}}")
    .replaceAll("%3A", ":");
