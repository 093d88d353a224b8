import { PROBLEMS, type ProblemCode } from "@eventledger/protocol";
import type { MiddlewareHandler } from "hono";
import { describeRoute, describes, shape, uniqueSymbol } from "#describe";
import { requireScope, type Scope } from "./auth.ts";
import type { AppEnv } from "./env.ts";

type Operation = {
  /** A verb and a noun in camelCase, unique: the `operationId`. */
  readonly id: string;
  readonly tag:
    | "streams"
    | "events"
    | "subscriptions"
    | "parking"
    | "compacted"
    | "keys"
    | "tenants"
    | "system";
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside those that every operation has. */
  readonly problems?: readonly ProblemCode[];
  readonly requestBody?: object;
  readonly parameters?: readonly object[];
};

type Answer = {
  readonly description: string;
  /** Of @eventledger/protocol, by its name. */
  readonly body?: Parameters<typeof shape>[0];
  readonly contentType?: string;
  /** Further forms of the same answer, by content type. */
  readonly forms?: Readonly<Record<string, object>>;
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * Describes a route: what it does, who may call it, and everything it may answer. The scope is
 * described and enforced by the same word.
 */
export const operation = (of: Operation): MiddlewareHandler<AppEnv> =>
  Object.assign(requireScope(of.scope), describes ? describe(of) : {});

function describe(of: Operation): object {
  const problems = new Set<ProblemCode>([...EVERYWHERE, ...(of.problems ?? [])]);
  if (of.scope !== "public") for (const code of KEYED) problems.add(code);
  const described = describeRoute({
    operationId: of.id,
    tags: [of.tag],
    summary: of.summary,
    ...(of.description === undefined ? {} : { description: of.description }),
    security: of.scope === "public" ? [] : [{ apiKey: [] }],
    ...({ "x-scope": of.scope } as object),
    ...(of.requestBody === undefined ? {} : { requestBody: of.requestBody as never }),
    ...(of.parameters === undefined ? {} : { parameters: of.parameters as never }),
    responses: { ...answersOf(of.answers), ...problemsOf(problems) } as Responses,
  });
  return uniqueSymbol in described ? { [uniqueSymbol]: described[uniqueSymbol] } : {};
}

type Responses = NonNullable<Parameters<typeof describeRoute>[0]["responses"]>;

/** The last two of every request: its body may be too large, or encoded, even if nobody reads it. */
const EVERYWHERE: readonly ProblemCode[] = [
  "invalid-request",
  "internal",
  "store-unavailable",
  "request-too-large",
  "unsupported-media-type",
];
const KEYED: readonly ProblemCode[] = ["unauthorized", "forbidden"];

const REQUEST_ID = {
  "X-Request-Id": { description: "Names this request in logs.", schema: { type: "string" } },
} as const;

function answersOf(answers: Operation["answers"]): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const { description, body, contentType = "application/json", forms, headers = {} } = answer;
      const content = {
        ...(body === undefined ? {} : { [contentType]: { schema: shape(body) } }),
        ...forms,
      };
      const described = Object.entries(headers).map(([name, text]) => [
        name,
        { description: text, schema: { type: "string" } },
      ]);
      return [
        status,
        {
          description,
          ...(Object.keys(content).length === 0 ? {} : { content }),
          headers: { ...REQUEST_ID, ...Object.fromEntries(described) },
        },
      ];
    }),
  );
}

/** One response per status, which names the codes it may stand for. */
function problemsOf(codes: ReadonlySet<ProblemCode>): Record<string, object> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "),
        content: { "application/problem+json": { schema: shape("Problem") } },
        headers: REQUEST_ID,
      },
    ]),
  );
}
