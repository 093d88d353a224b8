import { PROBLEMS, Problem, type ProblemCode } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { createApp } from "./app.ts";
import type { JsonSchema } from "./openapi/json-schema.ts";
import { generateOpenApi } from "./openapi.ts";
import { pageHeaderName } from "./page.ts";
import { validationOf } from "./validate.ts";

/** These tests check the whole document, so they also cover every route that is added later. */

type Content = Record<string, { schema: JsonSchema; examples?: Record<string, { $ref: string }> }>;
type Link = { operationId: string; parameters?: object };
type Response = {
  description: string;
  content?: Content;
  headers: Record<string, JsonSchema>;
  links?: Record<string, Link>;
};
type Parameter = { name: string; in: string; description: string; schema: JsonSchema };
type Operation = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: object[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, Response>;
};
type Document = {
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: object;
    schemas: Record<string, JsonSchema>;
    examples: Record<string, { value: unknown }>;
  };
};

const unused = () => expect.fail("Only the shape of the routes is looked at here");
const app = createApp({
  ledger: {} as never,
  authenticate: unused,
  loadDocsAsset: unused,
  loadConsoleFile: unused,
  logFailure: unused,
});
const document: Document = JSON.parse(JSON.stringify(generateOpenApi(app)));
const { schemas, examples } = document.components;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);
const parameters = operations.flatMap(({ operation }) =>
  (operation.parameters ?? []).map((parameter) => ({
    parameter,
    where: `${operation.operationId} ${parameter.name}`,
  })),
);
const answers = operations.flatMap(({ operation }) =>
  Object.entries(operation.responses).map(([status, response]) => ({
    operation,
    status,
    response,
    where: `${operation.operationId} ${status}`,
  })),
);

const refOf = ({ $ref }: JsonSchema): string | undefined =>
  typeof $ref === "string" ? $ref.split("/").at(-1) : undefined;

function resolved(schema: JsonSchema): JsonSchema {
  const name = refOf(schema);
  return name === undefined ? schema : resolved(schemas[name] ?? expect.fail(`no ${name}`));
}

/**
 * Returns a schema and all schemas inside it, each with its place. A referenced schema appears
 * once, under its own name.
 */
function within(
  schema: JsonSchema,
  where: string,
  seen = new Set<string>(),
): [string, JsonSchema][] {
  const name = refOf(schema);
  if (name !== undefined) {
    if (seen.has(name)) return [[where, schema]];
    seen.add(name);
    return [[where, schema], ...within(schemas[name] ?? expect.fail(`no ${name}`), name, seen)];
  }
  const { properties = {}, items, additionalProperties, oneOf = [] } = schema;
  const inner: [string, unknown][] = [
    ...Object.entries(properties as object).map(([of, one]): [string, unknown] => [
      `${where}.${of}`,
      one,
    ]),
    [`${where}[]`, items],
    [`${where}.*`, additionalProperties],
    ...(oneOf as unknown[]).map((one, at): [string, unknown] => [`${where}/${at}`, one]),
  ];
  return [
    [where, schema],
    ...inner.flatMap(([at, one]) =>
      typeof one === "object" && one !== null ? within(one as JsonSchema, at, seen) : [],
    ),
  ];
}

const contents = (content: Content = {}, where: string) =>
  Object.entries(content).flatMap(([type, { schema }]) => within(schema, `${where} ${type}`));
const answered = new Map(
  answers.flatMap(({ response, where }) => contents(response.content, where)),
);
const sent = new Map([
  ...operations.flatMap(({ operation }) =>
    contents(operation.requestBody?.content, operation.operationId),
  ),
  ...parameters.flatMap(({ parameter, where }) => within(parameter.schema, where)),
]);
const everything = new Map([...sent, ...answered]);

/** Returns the places of the schemas that are wrong. */
const places = (
  of: Iterable<readonly [string, JsonSchema]>,
  wrong: (schema: JsonSchema) => boolean,
) => [...of].filter(([, schema]) => wrong(schema)).map(([where]) => where);

describe("operations", () => {
  it("[openapi.described] operations describe what they do, who may call them and their group", () => {
    const tags = new Set(document.tags.map(({ name }) => name));
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(
      operations.length,
    );
    for (const { operation } of operations) {
      const { operationId, summary, description } = operation;
      expect(summary, operationId).toMatch(/^[A-Z][^.]{8,}$/);
      expect(description, operationId).toMatch(/^[A-Z`].{30,}[.]$/s);
      expect(operation.tags.filter((tag) => !tags.has(tag))).toEqual([]);
    }
    expect(document.tags.filter(({ description }) => !description)).toEqual([]);
    expect(document.servers.length).toBeGreaterThan(0);
  });

  it("[auth.key] operations accept a key in either header", () => {
    const schemes = Object.keys(document.components.securitySchemes);
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { scheme: "bearer" },
      apiKey: { in: "header", name: "X-Api-Key" },
    });
    for (const { operation } of operations) {
      const named = operation.security.flatMap((one) => Object.keys(one));
      expect([[], schemes]).toContainEqual(named);
    }
  });

  it("[openapi.described] every parameter has a description, and every number its bounds", () => {
    expect(parameters.filter(({ parameter }) => !parameter.description)).toEqual([]);
    for (const { parameter, where } of parameters) {
      const { type, format, minimum, maximum } = resolved(parameter.schema);
      expect(type, where).toBeOneOf(["string", "integer", "boolean", "array"]);
      if (type !== "integer") continue;
      expect(minimum, where).toEqual(expect.any(Number));
      if (format === "int32") expect(maximum, where).toEqual(expect.any(Number));
    }
  });

  it("[openapi.described] operations state the defaults of parameters that are validated", () => {
    for (const { method, path, handler } of app.routes) {
      const validation = validationOf(handler);
      if (validation?.target !== "query") continue;
      const at = path.replaceAll(/:(\w+)/g, "{$1}");
      const described = document.paths[at]?.[method.toLowerCase()]?.parameters ?? [];
      const none = z.safeParse(validation.schema, {});
      for (const [name, value] of Object.entries((none.data ?? {}) as object)) {
        const of = described.find((parameter) => parameter.name === name);
        if (value === undefined) continue;
        expect(of?.schema.default, `${method} ${path} ${name}`).toBe(value);
      }
    }
  });
});

describe("schemas", () => {
  it("[openapi.described] schemas and their members have descriptions", () => {
    const undescribed = (of: JsonSchema) => !of.description && !resolved(of).description;
    expect(Object.keys(schemas).filter((name) => !schemas[name]?.description)).toEqual([]);
    const members = [...everything].filter(([where]) => /\.[^.*/[\]]+$/.test(where));
    expect(places(members, undescribed)).toEqual([]);
  });

  it("[openapi.clients] numbers state their size in bits", () => {
    const isNumber = ({ type }: JsonSchema) =>
      [type].flat().some((one) => /^(integer|number)$/.test(String(one)));
    const numbers = [...everything].filter(([, schema]) => isNumber(schema));
    expect(numbers.length).toBeGreaterThan(20);
    expect(places(numbers, ({ format }) => !/^(int32|int64|double)$/.test(String(format)))).toEqual(
      [],
    );
    const small = numbers.filter(([, { format }]) => format === "int32");
    expect(places(small, ({ maximum }) => !(Number(maximum) < 2 ** 31))).toEqual([]);
  });

  it("[openapi.clients] a value matches exactly one of several schemas", () => {
    expect(
      places(
        everything,
        ({ anyOf, allOf }) =>
          anyOf !== undefined ||
          ((allOf as JsonSchema[] | undefined)?.length !== 1 && allOf !== undefined),
      ),
    ).toEqual([]);
    for (const [where, { oneOf }] of everything) {
      if (oneOf === undefined) continue;
      const options = (oneOf as JsonSchema[]).map(resolved);
      const objects = options.filter(({ type }) => type === "object");
      const types = options.map(({ type }) => type).filter((type) => type !== "object");
      expect(new Set(types).size, where).toBe(types.length);
      for (const one of objects) {
        const needed = (one.required ?? []) as string[];
        for (const other of objects.filter((each) => each !== one)) {
          const known = Object.keys((other.properties ?? {}) as object);
          expect(
            needed.some((member) => !known.includes(member)),
            where,
          ).toBe(true);
        }
      }
    }
  });

  it("[openapi.clients] schemas contain nothing that generators cannot convert", () => {
    expect(places(everything, ({ type }) => type === "null")).toEqual(
      // A null may be a branch of a union with an object. A nullable scalar has two types instead.
      places(everything, ({ type }) => type === "null").filter((where) => /\/\d+$/.test(where)),
    );
    expect(places(everything, (schema) => "const" in schema || "hidden" in schema)).toEqual([]);
    expect(JSON.stringify(document)).not.toContain("nullHidden");
  });

  it("[openapi.clients] members that are always present are required, and members with a default are not", () => {
    const needs = ({ properties = {}, required = [] }: JsonSchema) =>
      (required as string[]).some((member) => !(member in (properties as object)));
    expect(places(everything, needs)).toEqual([]);
    const inBodies = [...sent].filter(([where]) => /\./.test(where));
    expect(places([...inBodies, ...answered], (schema) => "default" in schema)).toEqual([]);
    const { required } = schemas.Problem ?? {};
    const members = ["type", "title", "status", "code", "detail", "instance", "retry"];
    expect(required).toEqual(members);
    expect(schemas.CreateStream?.required).toEqual(["name"]);
    expect(schemas.Stream?.required).toEqual(
      expect.arrayContaining(["name", "partitions", "compaction", "retentionHours"]),
    );
  });

  it("[openapi.clients] every object has a name", () => {
    const isUnnamed = ({ properties, title }: JsonSchema) =>
      properties !== undefined && title === undefined;
    const nested = [...everything].filter(([where]) => !(where in schemas));
    expect(places(nested, isUnnamed)).toEqual([]);
  });

  it("[openapi.clients] answers allow further members", () => {
    expect(places(answered, ({ additionalProperties }) => additionalProperties === false)).toEqual(
      [],
    );
  });
});

describe("answers", () => {
  const problems = answers.filter(({ status }) => status >= "400");

  it("[openapi.described] error answers have an example of each of their codes", () => {
    for (const { response, status, where } of problems) {
      const shown = response.content?.["application/problem+json"]?.examples ?? {};
      const named = [...response.description.matchAll(/`([a-z-]+)`: /g)].map(([, code]) => code);
      expect(named.length, where).toBeGreaterThan(0);
      expect(Object.keys(shown), where).toEqual(named);
      for (const [code, { $ref }] of Object.entries(shown)) {
        const { value } = examples[$ref.split("/").at(-1) ?? ""] ?? expect.fail(`no ${$ref}`);
        const { title, retry } = PROBLEMS[code as ProblemCode];
        const problem = Problem.parse(value);
        expect(problem, where).toMatchObject({ code, title, retry, status: Number(status) });
        if (retry === "later") expect(problem.retryAfter).toBeGreaterThan(0);
        if (status === "413") expect(Object.keys(problem).join()).toMatch(/Max/);
      }
    }
    const details = Object.values(examples).map(({ value }) => Problem.parse(value).detail);
    expect(new Set(details).size).toBe(details.length);
  });

  it("[openapi.described] answers describe their headers", () => {
    for (const { response, status, where } of answers) {
      const { headers, content = {} } = response;
      expect(headers, where).toHaveProperty("X-Request-Id");
      const codes = Object.keys(content["application/problem+json"]?.examples ?? {});
      const isLater = codes.some((code) => PROBLEMS[code as ProblemCode].retry === "later");
      if (isLater) expect(headers, where).toHaveProperty("Retry-After");
      if (status === "401") expect(headers, where).toHaveProperty("WWW-Authenticate");
      if (!("application/cloudevents-batch+json" in content)) continue;
      const page = resolved(content["application/json"]?.schema ?? {});
      const members = Object.keys((page.properties ?? {}) as object).filter(
        (of) => of !== "events",
      );
      expect(members).toContain("cursor");
      for (const member of members) expect(headers, where).toHaveProperty([pageHeaderName(member)]);
    }
  });

  it("[openapi.described] answers link to the next requests", () => {
    const byId = new Map(operations.map(({ operation }) => [operation.operationId, operation]));
    for (const { response, status, where } of answers) {
      const { content = {}, links = {} } = response;
      const { schema = {} } = content["application/json"] ?? {};
      const kinds = ((schema.oneOf ?? [schema]) as JsonSchema[]).map(resolved);
      const members = kinds.flatMap(({ properties = {} }) => Object.keys(properties as object));
      if (status.startsWith("2") && members.includes("cursor")) {
        expect(Object.keys(links).length, where).toBeGreaterThan(0);
      }
      for (const { operationId, parameters: filled = {} } of Object.values(links)) {
        const target = byId.get(operationId) ?? expect.fail(`${where}: no ${operationId}`);
        const taken = (target.parameters ?? []).map(({ name }) => name);
        expect(taken).toEqual(expect.arrayContaining(Object.keys(filled)));
        for (const from of Object.values(filled)) {
          const [, member] = /^\$response\.body#\/(\w+)$/.exec(String(from)) ?? [];
          if (member !== undefined) expect(members, where).toContain(member);
        }
      }
    }
  });
});

describe("a publish", () => {
  const { requestBody, parameters: taken = [] } =
    document.paths["/streams/{stream}/events"]?.post ?? expect.fail("no publish");

  it("[publish.formats] a publish is described in every form, and binary mode with its headers", () => {
    expect(Object.keys(requestBody?.content ?? {})).toEqual([
      "application/json",
      "application/x-ndjson",
      "application/cloudevents+json",
      "application/cloudevents-batch+json",
      "*/*",
    ]);
    const headers = taken.filter((parameter) => parameter.in === "header").map(({ name }) => name);
    expect(headers).toEqual(
      expect.arrayContaining([
        "Idempotency-Key",
        "ce-specversion",
        "ce-id",
        "ce-source",
        "ce-type",
      ]),
    );
  });

  it("[compaction.key] the state of a key describes the headers of its request and its answer", () => {
    const { parameters: asked = [] } =
      document.paths["/streams/{stream}/compacted/{key}"]?.get ?? expect.fail("no state");
    expect(asked.map(({ name }) => name)).toContain("If-None-Match");
  });
});
