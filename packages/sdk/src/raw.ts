import { elementsOf, membersOf } from "./events/json-spans.ts";
import { type RawJson, rawJson } from "./events/raw-json.ts";

export { membersOf, type Span } from "./events/json-spans.ts";
export { RawJson, rawJson } from "./events/raw-json.ts";

/**
 * `numbers: rawData` gives the data of each event as the text that was published, byte for byte,
 * instead of a value: `stream<RawJson>("orders")`. A deletion still has the data null.
 */
export function rawData(answer: string): unknown {
  const parsed: unknown = JSON.parse(answer);
  if (typeof parsed !== "object" || parsed === null) return parsed;
  for (const { name, text } of membersOf(answer)) {
    const list = (parsed as Record<string, unknown>)[name];
    if ((name === "events" || name === "items") && Array.isArray(list)) {
      for (const [index, event] of elementsOf(text).entries()) replaceData(list[index], event);
    }
  }
  replaceData(parsed, answer);
  return parsed;
}

function replaceData(event: { data?: unknown }, json: string): void {
  if (event.data === null || !("data" in event)) return;
  event.data = textOf("data", json);
}

const textOf = (member: string, json: string): RawJson | undefined => {
  const found = membersOf(json).findLast(({ name }) => name === member);
  return found && rawJson(found.text);
};
