import { validationError } from "./aws-error.ts";
import { type Item, isMap, type Value } from "./value.ts";

export type Key = { readonly pk: string; readonly sk: string };

/** Returns a text for a key, for maps and logs. */
export const keyId = ({ pk, sk }: Key): string => `${pk} | ${sk}`;

/**
 * @throws ValidationException unless these are exactly the two key attributes within their limits
 */
export const parseKey = (value: Value): Key => {
  if (!isMap(value) || Object.keys(value).length !== 2) {
    throw validationError("The provided key element does not match the schema");
  }
  return keyOf(value);
};

/**
 * Returns the key of an item.
 * @throws ValidationException when it is missing or exceeds the limits
 */
export const keyOf = (item: Item): Key => ({
  pk: keyText(item.pk, "pk", pkBytesMax),
  sk: keyText(item.sk, "sk", skBytesMax),
});

const pkBytesMax = 2048;
const skBytesMax = 1024;

export const keyText = (value: Value | undefined, name: string, bytesMax = pkBytesMax): string => {
  if (typeof value !== "string") throw validationError(`Type mismatch for key ${name}`);
  if (value === "") throw validationError(`Empty string for key ${name}`);
  if (Buffer.byteLength(value) > bytesMax) throw validationError(`Key ${name} is too long`);
  return value;
};
