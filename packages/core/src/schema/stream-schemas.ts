import { type InvalidField, LIMITS, type PutSchemas } from "@eventledger/protocol";
import { invalidRequest, LedgerError } from "../kernel/error.ts";
import { type IncomingEvent, isTombstone } from "../model/event.ts";
import { faultsOf, pointerPart, type Schema } from "./keywords.ts";
import { violations } from "./validate.ts";

const SHOWN_MAX = 20;

/** Throws `invalid-request` for schemas that are too large or not supported. */
export function assertSchemas({ schemas }: Pick<PutSchemas, "schemas">): void {
  const types = Object.entries(schemas);
  if (types.length > LIMITS.schemaTypesMax) {
    throw invalidRequest("/schemas", `must have at most ${LIMITS.schemaTypesMax} types`);
  }
  const errors = types.flatMap(([type, schema]) =>
    faultsOf(schema).map(({ pointer, detail }) => ({
      pointer: `/schemas/${pointerPart(type)}${pointer}`,
      detail,
    })),
  );
  refuse(errors);
  if (Buffer.byteLength(JSON.stringify(schemas)) > LIMITS.schemasBytesMax) {
    throw invalidRequest("/schemas", `must have at most ${LIMITS.schemasBytesMax} bytes`);
  }
}

/**
 * Throws `invalid-request` unless the data of each event is as the schema of its type says. The
 * problem names each event and member. A tombstone deletes a key, and no schema describes it.
 */
export function assertMatching(
  { schemas, undeclared }: PutSchemas,
  events: readonly IncomingEvent[],
): void {
  const errors: InvalidField[] = [];
  for (const [at, event] of events.entries()) {
    if (errors.length >= SHOWN_MAX) break;
    if (isTombstone(event)) continue;
    const place = events.length === 1 ? "" : `/events/${at}`;
    const { type } = event.attributes;
    const schema = type !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (schema === undefined) {
      if (undeclared === "refused") {
        errors.push({ pointer: `${place}/type`, detail: "has no schema in this stream" });
      }
      continue;
    }
    const found = violations(schema as Schema, JSON.parse(event.data));
    errors.push(
      ...found.map(({ pointer, detail }) => ({ pointer: `${place}/data${pointer}`, detail })),
    );
  }
  refuse(errors.slice(0, SHOWN_MAX));
}

function refuse(errors: readonly InvalidField[]): void {
  const [first] = errors;
  if (first === undefined) return;
  throw new LedgerError("invalid-request", { detail: `${first.pointer} ${first.detail}.`, errors });
}
