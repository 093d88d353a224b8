import { PROBLEMS, type ProblemCode } from "@eventledger/protocol";
import type { Answer } from "../operation.ts";
import { pageHeaderName } from "../page.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Schemas } from "./schemas.ts";

const text = (description: string): object => ({ description, schema: { type: "string" } });

/** The headers that many answers have, as components. */
export const HEADERS = {
  RequestId: text(
    "The id of this request in the server's log: the client's own `X-Request-Id`, or one that the server generated.",
  ),
  RetryAfter: {
    description: "The number of seconds to wait before the same request is sent again.",
    schema: { type: "integer", format: "int32", minimum: 1 },
  },
  WwwAuthenticate: text("The server asks for an API key as a bearer token."),
  AcceptPost: text("The content types that this operation accepts."),
} as const;

const header = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` });

const REQUEST_ID = { "X-Request-Id": header("RequestId") };

/** Returns the successful answers of an operation, by status. */
export const answersOf = (
  schemas: Schemas,
  answers: Readonly<Record<number, Answer>>,
): Record<string, object> =>
  Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, answerOf(schemas, answer)]),
  );

function answerOf(schemas: Schemas, answer: Answer): object {
  const { description, body, contentType = "application/json", forms = {}, headers = {} } = answer;
  const names = typeof body === "string" ? [body] : (body ?? []);
  const bodies = names.map((name) => schemas.answered(name));
  const [only] = bodies;
  const content = {
    ...(only === undefined
      ? {}
      : { [contentType]: { schema: bodies.length === 1 ? only : { oneOf: bodies } } }),
    ...Object.fromEntries(
      Object.entries(forms).map(([type, name]) => [type, { schema: schemas.answered(name) }]),
    ),
  };
  const members =
    "application/cloudevents-batch+json" in forms ? bodies.flatMap(schemas.membersOf) : [];
  return {
    description,
    ...(Object.keys(content).length === 0 ? {} : { content }),
    headers: {
      ...REQUEST_ID,
      ...Object.fromEntries(Object.entries(headers).map(([name, says]) => [name, text(says)])),
      ...Object.fromEntries(members.map(pageHeader)),
    },
  };
}

const isLater = (code: ProblemCode): boolean => PROBLEMS[code].retry === "later";

/** Describes the header that carries a member of a page whose body is a CloudEvents batch. */
const pageHeader = ([member, { description, ...schema }]: readonly [string, JsonSchema]) => [
  pageHeaderName(member),
  {
    description: [`\`${member}\` of the page, where it is a CloudEvents batch.`, description]
      .filter(Boolean)
      .join(" "),
    schema: SCALARS.has(schema.type) ? schema : { type: "string" },
  },
];

const SCALARS = new Set<unknown>(["boolean", "integer", "number", "string"]);

/**
 * Returns one answer per status. It names the problem codes of that status and has an example of
 * each.
 */
export function problemsOf(schemas: Schemas, codes: Iterable<ProblemCode>): Record<string, object> {
  const byStatus = Map.groupBy([...new Set(codes)], (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "),
        content: {
          "application/problem+json": {
            schema: schemas.answered("Problem"),
            examples: Object.fromEntries(
              group.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
            ),
          },
        },
        headers: {
          ...REQUEST_ID,
          ...(group.some(isLater) ? { "Retry-After": header("RetryAfter") } : {}),
          ...(status === 401 ? { "WWW-Authenticate": header("WwwAuthenticate") } : {}),
          ...(status === 415 ? { "Accept-Post": header("AcceptPost") } : {}),
        },
      },
    ]),
  );
}
