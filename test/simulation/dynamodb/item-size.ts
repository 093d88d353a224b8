import { type Item, isList, isSet, type Value, type ValueMap } from "./value.ts";

/**
 * Returns the size of an item for limits and capacity: names and values together. Source: Amazon
 * DynamoDB Developer Guide, "DynamoDB item sizes and formats".
 */
export const itemBytes = (item: Item): number => {
  let bytes = 0;
  for (const name of Object.keys(item)) {
    bytes += Buffer.byteLength(name) + valueBytes(item[name] as Value);
  }
  return bytes;
};

const valueBytes = (value: Value): number => {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value === "boolean" || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  if (isList(value)) return value.reduce((sum: number, each) => sum + 1 + valueBytes(each), 3);
  if (isSet(value)) return [...value].reduce((sum: number, each) => sum + valueBytes(each), 0);
  return 3 + Object.keys(value).length + itemBytes(value as ValueMap);
};

/** A number takes one byte for each two significant digits, one more, and one for a minus sign. */
const numberBytes = (value: number): number => {
  const [digits = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const significant = digits.replace(".", "").replace(/0+$/, "");
  if (significant === "") return 1;
  // Digits are stored in pairs that start at an even power of ten.
  const shifted = significant.length + (Math.abs(Number(exponent)) % 2 === 0 ? 1 : 0);
  return Math.ceil(shifted / 2) + 1 + (value < 0 ? 1 : 0);
};
