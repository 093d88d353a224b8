import openApi from "../../../packages/functions/openapi.json" with { type: "json" };

export type Schema = { readonly [member: string]: unknown };

export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
};

type Content = Readonly<
  Record<
    string,
    { readonly schema?: Schema; readonly examples?: Readonly<Record<string, unknown>> }
  >
>;

/** One operation of the OpenAPI document. */
export type DescribedOperation = {
  readonly id: string;
  readonly method: string;
  /** The path, with `{name}` for each parameter. */
  readonly path: string;
  readonly scope: string | undefined;
  /** The scopes of which one is enough. The first is the usual scope. */
  readonly scopes: readonly string[];
  /** How the operation treats a key that is bound to subscriptions or to a key prefix. */
  readonly bound: string | undefined;
  readonly parameters: readonly Parameter[];
  readonly requestBody: { readonly content: Content; readonly required: boolean } | undefined;
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};

type Written = {
  readonly operationId: string;
  readonly "x-scope"?: string;
  readonly "x-scopes"?: readonly string[];
  readonly "x-bound"?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content; readonly required: boolean };
  readonly responses: DescribedOperation["responses"];
};

/** Every operation that the committed document describes. */
export const operations: readonly DescribedOperation[] = Object.entries(
  openApi.paths as unknown as Readonly<Record<string, Readonly<Record<string, Written>>>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, of]) => ({
    id: of.operationId,
    method: method.toUpperCase(),
    path,
    scope: of["x-scope"],
    scopes: of["x-scopes"] ?? [],
    bound: of["x-bound"],
    parameters: of.parameters ?? [],
    requestBody: of.requestBody,
    responses: of.responses,
  })),
);

/** Returns the codes of the problems that the document names for a request and a status. */
export function documentedCodes(method: string, path: string, status: number): string[] {
  const segments = path.split("?")[0]?.split("/") ?? [];
  const fits = (template: string) => {
    const parts = template.split("/");
    const same = (part: string, index: number) => part.startsWith("{") || part === segments[index];
    return parts.length === segments.length && parts.every(same);
  };
  const found = operations.find((each) => each.method === method && fits(each.path));
  const examples = found?.responses[status]?.content?.["application/problem+json"]?.examples;
  return Object.keys(examples ?? {});
}

const components = openApi.components.schemas as unknown as Readonly<Record<string, Schema>>;

/** Returns a schema, or the schema that a reference names. */
export function resolved(schema: Schema): Schema {
  const { $ref } = schema;
  if (typeof $ref !== "string") return schema;
  return resolved(components[$ref.replace("#/components/schemas/", "")] ?? {});
}
