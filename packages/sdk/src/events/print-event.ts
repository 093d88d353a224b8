import { InvalidEvent } from "../errors.ts";
import type { NewEvent } from "./event.ts";
import { RawJson } from "./raw-json.ts";

/**
 * Prints an event as JSON. Refuses data that JSON would change silently: NaN would become null, and
 * an event with null as its data deletes its key.
 */
export function printEvent(event: NewEvent): string {
  const { key, type, id, time, headers, expectedSequence, data } = event;
  const attributes = JSON.stringify({ key, type, id, time, headers, expectedSequence });
  return `${attributes.slice(0, -1)},"data":${printData(event, data)}}`;
}

function printData(event: NewEvent, data: unknown): string {
  if (data instanceof RawJson) return data.text;
  const refuse = (message: string, ...path: string[]) =>
    new InvalidEvent(event, [{ message, path: ["data", ...path] }]);
  const text = JSON.stringify(data, (name, member: unknown) => {
    // An engine without rawJSON throws for a bigint by itself.
    if (typeof member === "bigint") return rawJSON?.(String(member)) ?? member;
    if (typeof member !== "number" || Number.isFinite(member)) return member;
    throw refuse(`${member} is not JSON`, name);
  });
  if (text === undefined) throw refuse("is not JSON; delete() deletes a key");
  if (text === "null" && data !== null) throw refuse("becomes null, which deletes the key");
  return text;
}

/** rawJSON prints all digits of a bigint. Some engines that the SDK supports do not have it. */
const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
