import { type Answer, type Call, send } from "../wire.ts";
import { type DescribedOperation, resolved } from "./openapi-operations.ts";
import type { Names } from "./world.ts";

/** Sends a valid request of an operation, with the given names. */
export function ask(
  baseUrl: string,
  operation: DescribedOperation,
  names: Names,
  apiKey: string | undefined,
  query = "",
): Promise<Answer> {
  const path = operation.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) =>
      Object.entries({ ...names, export: EXPORT, erasure: ERASURE }).find(
        ([known]) => known === name,
      )?.[1] ?? "k",
  );
  const required = operation.parameters.filter((of) => of.in === "query" && of.required);
  const asked = required.map(({ name }) => `${query === "" ? "?" : "&"}${name}=k`).join("&");
  const call: Call = {
    method: operation.method,
    path: path + query + asked,
    headers: {
      ...(operation.requestBody === undefined ? {} : { "content-type": "application/json" }),
      ...(apiKey === undefined ? { authorization: "" } : {}),
    },
    ...(operation.requestBody === undefined ? {} : { body: bodyOf(operation, names) }),
  };
  return send({ baseUrl, apiKey: apiKey ?? "" }, call);
}

/** The id of an export that does not exist. */
const EXPORT = "0".repeat(18);
/** The id of an erasure that does not exist. */
const ERASURE = "0".repeat(24);

const BODIES: Readonly<Record<string, (names: Names) => object>> = {
  publishEvents: () => ({ key: "k", data: 1 }),
  seek: ({ cursor }) => ({ to: { cursor } }),
  createPortalToken: ({ stream }) => ({
    streams: [stream],
    keyPrefix: "k",
    scopes: ["endpoints"],
  }),
};

/** Returns the document's example of a body, with a real cursor where the body takes one. */
function bodyOf(operation: DescribedOperation, names: Names): string {
  const made = BODIES[operation.id]?.(names);
  if (made !== undefined) return JSON.stringify(made);
  const [example] = (bodySchema(operation).examples as object[] | undefined) ?? [{}];
  const { properties = {} } = bodySchema(operation);
  const cursor = "cursor" in (properties as object) ? { cursor: names.cursor } : {};
  return JSON.stringify({ ...example, ...cursor });
}

const bodySchema = ({ requestBody }: DescribedOperation) =>
  resolved(requestBody?.content["application/json"]?.schema ?? {});
