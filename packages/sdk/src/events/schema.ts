import { InvalidEvent, type Issue } from "../errors.ts";
import type { LedgerEvent, NewEvent } from "./event.ts";
import { RawJson } from "./raw-json.ts";

/** A schema of zod, valibot, arktype or any other library that implements standardschema.dev. */
export type StandardSchema<Input = unknown, Output = Input> = {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
};

type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

type SchemaIssue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};

/** The schemas of a stream's events, by type. */
export type Schemas = Readonly<Record<string, StandardSchema>>;

type InputOf<S> = S extends StandardSchema<infer Input, unknown> ? Input : never;
type OutputOf<S> = S extends StandardSchema<infer _, infer Output> ? Output : never;

/** What can be published: each type with its data. */
export type NewEventOf<S extends Schemas> = {
  [Type in keyof S & string]: NewEvent<Type, InputOf<S[Type]> | RawJson>;
}[keyof S & string];

/** What a reader receives: each type with its data, or a deletion. */
export type LedgerEventOf<S extends Schemas> = {
  [Type in keyof S & string]: LedgerEvent<Type, OutputOf<S[Type]>>;
}[keyof S & string];

/**
 * Checks an event before it is published. The event is sent as it was given, because readers apply
 * the schema again.
 */
export async function assertPublishable(schemas: Schemas | undefined, event: NewEvent) {
  if (schemas === undefined || event.data === null) return;
  const data = event.data instanceof RawJson ? JSON.parse(event.data.text) : event.data;
  const result = await validate(schemas, event.type, data);
  if (result.issues !== undefined) throw new InvalidEvent(event, toIssues(result.issues));
}

/** The event, with its data as the schema returns it. Throws InvalidEvent. */
export async function readWithSchema(
  schemas: Schemas | undefined,
  event: LedgerEvent,
): Promise<LedgerEvent> {
  if (schemas === undefined || event.isDeletion) return event;
  const result = await validate(schemas, event.type, event.data);
  if (result.issues !== undefined) throw new InvalidEvent(event, toIssues(result.issues));
  return { ...event, data: result.value };
}

function validate(schemas: Schemas, type: string | undefined, data: unknown) {
  const schema = type !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema !== undefined) return schema["~standard"].validate(data);
  const message = type === undefined ? "has no type" : `has the type ${type}, without a schema`;
  return { issues: [{ message }] };
}

const toIssues = (issues: readonly SchemaIssue[]): Issue[] =>
  issues.map(({ message, path = [] }) => ({
    message,
    path: ["data", ...path.map((part) => (typeof part === "object" ? part.key : part))],
  }));
