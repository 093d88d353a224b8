import type { Problem } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { openTarget } from "../target.ts";
import { send } from "../wire.ts";
import { type DescribedOperation, operations } from "./openapi-operations.ts";

/**
 * These tests send every operation a request without a body, with an empty body, and with a body
 * without a type. The names in the paths do not exist, so an accepted request finds nothing.
 */
const { close, ...target } = await openTarget();
afterAll(close);

const JSON_TYPE = { "content-type": "application/json" };
const WITHOUT: readonly [name: string, request: { headers?: object; body?: string }][] = [
  ["no body", {}],
  ["an empty body", { body: "" }],
  ["an empty body as JSON", { headers: JSON_TYPE, body: "" }],
  ["an empty body as a form", { headers: { "content-type": "text/plain" }, body: "" }],
];

/** The statuses of a request whose body is accepted, for something that does not exist. */
const LET_IN = /^(2\d\d|404)$/;

const NAMES: Readonly<Record<string, string>> = {
  id: "0".repeat(12),
  export: "0".repeat(18),
  erasure: "0".repeat(24),
  file: "start.js",
};

const pathOf = ({ path, parameters }: DescribedOperation): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => NAMES[name] ?? "no-such-thing") +
  (parameters.some(
    ({ name, required, in: place }) => name === "key" && required && place === "query",
  )
    ? "?key=k"
    : "");

const ROWS = operations.flatMap((operation) =>
  WITHOUT.map(([name, request]) => [operation.id, name, operation, request] as const),
);

describe("[http.empty-body] the document says whether a body is needed", () => {
  it.each(ROWS)("%s with %s", async (id, _, operation, request) => {
    const { method, requestBody } = operation;
    const answer = await send(target, { ...request, method, path: pathOf(operation) } as never);
    if (requestBody?.required !== true) {
      expect(String(answer.status), answer.text).toMatch(LET_IN);
      return;
    }
    const isTyped = JSON.stringify(request).includes("text/plain");
    expect(answer.status, answer.text).toBe(id === "publishEvents" && isTyped ? 415 : 400);
    const { code, detail, errors = [] } = answer.body as Problem;
    if (code === "invalid-request") expect(errors).not.toEqual([]);
    else expect([code, detail].join()).toMatch(/^(malformed-json,The body is empty|unsupported)/);
  });

  it.each(operations.filter(({ requestBody }) => requestBody !== undefined))(
    "$id refuses a body without a type, and one that is not JSON",
    async (operation) => {
      const { method } = operation;
      const path = pathOf(operation);
      const untyped = await send(target, { method, path, body: "{}" });
      expect((untyped.body as Problem).code).toBe("unsupported-media-type");
      const broken = await send(target, { method, path, headers: JSON_TYPE, body: "{" });
      expect((broken.body as Problem).code).toBe("malformed-json");
      for (const { status, body } of [untyped, broken]) {
        expect(
          JSON.stringify(operation.responses[status]),
          `${status} of ${operation.id}`,
        ).toContain(`\`${(body as Problem).code}\``);
      }
    },
  );

  it("a body may be absent exactly where {} is a complete one", () => {
    const optional = operations.filter(({ requestBody }) => requestBody?.required === false);
    expect(optional.map(({ id }) => id).sort()).toEqual([
      "commitAndPoll",
      "completeRestore",
      "rotateKey",
    ]);
  });
});
