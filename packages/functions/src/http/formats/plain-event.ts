import { type EventAttributes, LIMITS } from "@eventledger/protocol";
import { type DecodedEvent, type EventSource, isObject, memberData } from "./envelope.ts";

/**
 * Returns an event that has only a key, data, and perhaps a type and an id, all clearly within
 * their caps. Returns undefined for any other event, valid or not: the schema `NewEvent` decides
 * about it and words the refusal. Most events are plain, and the schema takes longer.
 */
export function readPlainEvent(source: EventSource): DecodedEvent | undefined {
  const { value, members } = source;
  if (!isObject(value)) return undefined;
  const { key, type, id } = value;
  if (value.data === undefined || !isPlain(key, LIMITS.keyBytesMax)) return undefined;
  const attributes: EventAttributes = { key };
  let count = 2;
  if (type !== undefined) {
    if (!isPlain(type, LIMITS.typeBytesMax)) return undefined;
    attributes.type = type;
    count += 1;
  }
  if (id !== undefined) {
    if (!isPlain(id, LIMITS.idBytesMax)) return undefined;
    attributes.id = id;
    count += 1;
  }
  // Each name that was found has a member. Another member, or a repeated name, makes one more.
  if (members.length !== count) return undefined;
  const data = members.find(({ name }) => name === "data");
  return data && { attributes, data: memberData(source, data) };
}

/** A UTF-16 unit takes at most 3 bytes. */
const isPlain = (text: unknown, bytesMax: number): text is string =>
  typeof text === "string" && text !== "" && text.length * 3 <= bytesMax && text.isWellFormed();
