import type { ProblemCode } from "@eventledger/protocol";
import type { Hono } from "hono";
import type { AppEnv } from "./env.ts";
import { answersOf, HEADERS, problemsOf } from "./openapi/answers.ts";
import { INFO, SECURITY_SCHEMES, SERVERS } from "./openapi/info.ts";
import { type Linked, linksOf } from "./openapi/links.ts";
import { PROBLEM_EXAMPLES } from "./openapi/problem-examples.ts";
import { createSchemas, type Parameter, type Schemas } from "./openapi/schemas.ts";
import { TAGS } from "./openapi/tags.ts";
import { type Operation, operationOf } from "./operation.ts";
import { rightInWords, rightOf } from "./rights.ts";
import { jsonOrNothing, requireJson, type Validation, validationOf } from "./validate.ts";

/**
 * Generates the OpenAPI 3.1 document of the app's routes from what the routes declare and validate.
 * A route that declares no operation is left out.
 */
export function generateOpenApi(app: Hono<AppEnv>): object {
  const schemas = createSchemas();
  const routes = routesOf(app).map((route) => describeRoute(schemas, route));
  const linked = routes.map(({ linked: of }) => of);
  const paths: Record<string, Record<string, object>> = {};
  for (const { linked: of, operation, responses } of routes) {
    const links = linksOf(of, linked);
    paths[of.path] = {
      ...paths[of.path],
      [of.method]: { ...operation, responses: withLinks(responses, links) },
    };
  }
  const used = new Set<string>(routes.flatMap(({ codes }) => codes));
  const { document, components } = schemas.finish({
    paths,
    examples: Object.fromEntries(
      Object.entries(PROBLEM_EXAMPLES).filter(([code]) => used.has(code)),
    ),
    headers: HEADERS,
  });
  return {
    openapi: "3.1.0",
    info: INFO,
    servers: SERVERS,
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: document.paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: document.headers,
      examples: document.examples,
      schemas: components,
    },
  };
}

type Route = {
  readonly method: string;
  readonly path: string;
  readonly of: Operation;
  readonly validations: readonly Validation[];
  readonly takesJson: boolean;
  /** True if a missing body counts as `{}`. */
  readonly mayLackBody: boolean;
};

const BODIES = new Set<unknown>([requireJson, jsonOrNothing]);

/**
 * Returns the routes in the order of their declaration, each with what its handlers declare and
 * validate.
 */
function routesOf(app: Hono<AppEnv>): Route[] {
  const routes = app.routes.filter(({ method }) => method !== "ALL");
  return [...Map.groupBy(routes, ({ method, path }) => `${method} ${path}`).values()].flatMap(
    (handlers) => {
      const [first] = handlers;
      const [of] = handlers.flatMap(({ handler }) => operationOf(handler) ?? []);
      if (first === undefined || of === undefined) return [];
      return {
        method: first.method.toLowerCase(),
        path: first.path.replaceAll(/:(\w+)/g, "{$1}"),
        of,
        validations: handlers.flatMap(({ handler }) => validationOf(handler) ?? []),
        takesJson: handlers.some(({ handler }) => BODIES.has(handler)),
        mayLackBody: handlers.some(({ handler }) => handler === jsonOrNothing),
      };
    },
  );
}

function describeRoute(schemas: Schemas, route: Route) {
  const { of, method, path } = route;
  const parameters = parametersOf(schemas, route);
  const body = bodyOf(schemas, route);
  const right = rightOf(of.id);
  const [scope] = right.scopes;
  const isPublic = scope === "public";
  const operation = {
    operationId: of.id,
    tags: [of.tag],
    summary: of.summary,
    description: `${of.description} ${rightInWords(right)}`,
    security: isPublic ? [] : Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    "x-scope": scope,
    "x-scopes": right.scopes,
    "x-bound": right.bound,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
  };
  const codes = [
    ...EVERYWHERE,
    ...(isPublic ? [] : KEYED),
    ...(method === "get" ? [] : UNPACKED),
    ...(route.takesJson ? WITH_BODY : []),
    ...(of.problems ?? []),
  ];
  const responses = { ...answersOf(schemas, of.answers), ...problemsOf(schemas, codes) };
  const answers = Object.values(of.answers).flatMap(({ body: name }) => name ?? []);
  const members = new Set(
    answers.flatMap((name) => schemas.membersOf(schemas.answered(name)).map(([member]) => member)),
  );
  const linked: Linked = { of, method, path, parameters, members };
  return { linked, operation, responses, codes };
}

/**
 * The problems of every request. The last two apply even to a route that reads no body, because any
 * request may carry a large or an encoded one.
 */
const EVERYWHERE: readonly ProblemCode[] = [
  "invalid-request",
  "internal",
  "store-misconfigured",
  "store-full",
  "store-unavailable",
  "archive-unavailable",
  "request-too-large",
  "unsupported-media-type",
];
/** The problems of decompression. Every route decompresses its body, and a GET has none. */
const UNPACKED: readonly ProblemCode[] = ["malformed-gzip"];
const KEYED: readonly ProblemCode[] = ["unauthorized", "forbidden", "quota-exceeded"];
const WITH_BODY: readonly ProblemCode[] = ["malformed-json"];

const PLACES = { param: "path", query: "query" } as const;

function parametersOf(schemas: Schemas, { of, validations }: Route): Parameter[] {
  const checked = validations.flatMap(({ target, schema }) =>
    target === "json" ? [] : schemas.parameters(schema, PLACES[target]),
  );
  return [
    ...(of.path === undefined ? [] : schemas.parametersByName(of.path, "path")),
    ...checked,
    ...(of.headers === undefined ? [] : schemas.parametersByName(of.headers, "header")),
  ];
}

function bodyOf(schemas: Schemas, { of, validations, mayLackBody }: Route): object | undefined {
  const json = validations.find(({ target }) => target === "json");
  const forms = [
    ...(json === undefined ? [] : [["application/json", schemas.sent(json.schema)] as const]),
    ...Object.entries(of.body ?? {}).map(
      ([type, name]) => [type, schemas.sentByName(name)] as const,
    ),
  ];
  if (forms.length === 0) return undefined;
  const content = Object.fromEntries(forms.map(([type, schema]) => [type, { schema }]));
  const required = !(mayLackBody && json?.schema.safeParse({}).success === true);
  return { required, content };
}

/** Only successful answers with content have links. */
const withLinks = (responses: Readonly<Record<string, object>>, links: object) =>
  Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      status.startsWith("2") && "content" in response && Object.keys(links).length > 0
        ? { ...response, links }
        : response,
    ]),
  );
