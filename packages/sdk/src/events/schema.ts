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

/** The events that can be published: each type with its data. */
export type NewEventOf<S extends Schemas> = {
  [Type in keyof S & string]: NewEvent<Type, InputOf<S[Type]> | RawJson>;
}[keyof S & string];

/** The events that a reader receives: each type with its data, or a deletion. */
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
  const checked = await readWithSchema(schemas, { ...event, data });
  if (InvalidEvent.is(checked)) throw checked;
}

/**
 * Returns the event with its data as the schema returns it, or the reason why the schema refuses
 * it.
 */
export async function readWithSchema<E extends Pick<NewEvent, "key" | "type" | "data">>(
  schemas: Schemas,
  event: E,
): Promise<E | InvalidEvent> {
  const { type = "", data } = event;
  const result: Result<unknown> = Object.hasOwn(schemas, type)
    ? await (schemas[type] as StandardSchema)["~standard"].validate(data)
    : { issues: [{ message: type ? `has the type ${type}, without a schema` : "has no type" }] };
  return result.issues
    ? new InvalidEvent(event, result.issues.map(toIssue))
    : { ...event, data: result.value };
}

const toIssue = ({ message, path = [] }: SchemaIssue): Issue => ({
  message,
  path: ["data", ...path.map((part) => (typeof part === "object" ? part.key : part))],
});
