/** A value in DynamoDB's JSON: an object whose only member names the type. */
export type AttributeValue = Readonly<Record<string, unknown>>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns a value in DynamoDB's JSON. Bytes become Base64. Throws a TypeError for values that it
 * has no form for, and for numbers that would lose digits.
 */
export function toAttribute(value: unknown): AttributeValue {
  switch (typeof value) {
    case "string":
      return { S: value };
    case "number":
      return { N: exactNumber(value) };
    case "boolean":
      return { BOOL: value };
    case "object":
      return toComposite(value);
    default:
      throw new TypeError(`The table has no form for a value of type ${typeof value}`);
  }
}

/** Returns the fields of an item in DynamoDB's JSON. */
export function toAttributes(fields: Fields): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  for (const name in fields) attributes[name] = toAttribute(fields[name]);
  return attributes;
}

function toComposite(value: object | null): AttributeValue {
  if (value === null) return { NULL: true };
  if (value instanceof Uint8Array) return { B: base64(value) };
  if (Array.isArray(value)) return { L: value.map(toAttribute) };
  if (value instanceof Set) return toSet([...value]);
  return { M: toAttributes(value as Fields) };
}

function toSet(members: readonly unknown[]): AttributeValue {
  const [first] = members;
  if (members.every((member) => typeof member === "string") && first !== undefined) {
    return { SS: members };
  }
  if (members.every((member) => typeof member === "number") && first !== undefined) {
    return { NS: members.map(exactNumber) };
  }
  throw new TypeError("The table has sets of strings and of numbers only, and none is empty");
}

function exactNumber(value: number): string {
  if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
  throw new TypeError("The table cannot keep this number exactly");
}

const base64 = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString("base64");

/** Returns the value of DynamoDB's JSON, with bytes as a Buffer. */
export function fromAttribute(attribute: AttributeValue): unknown {
  for (const type in attribute) {
    const value = attribute[type];
    switch (type) {
      case "S":
      case "BOOL":
        return value;
      case "N":
        return fromNumber(value as string);
      case "B":
        return Buffer.from(value as string, "base64");
      case "M":
        return fromAttributes(value as Record<string, AttributeValue>);
      case "L":
        return (value as AttributeValue[]).map(fromAttribute);
      case "NULL":
        return null;
      case "SS":
        return new Set(value as string[]);
      case "NS":
        return new Set((value as string[]).map(fromNumber));
    }
  }
  throw new TypeError(`The table answered with a value of unknown type: ${Object.keys(attribute)}`);
}

/** Returns the fields of an item in DynamoDB's JSON. */
export function fromAttributes(attributes: Readonly<Record<string, AttributeValue>>): Fields {
  const fields: Record<string, unknown> = {};
  for (const name in attributes) fields[name] = fromAttribute(attributes[name] ?? {});
  return fields;
}

function fromNumber(text: string): number {
  const value = Number(text);
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw new TypeError("The table answered with a number that JavaScript cannot hold exactly");
}

/**
 * Returns an attribute as the SDK's own clients return it: in DynamoDB's form, with bytes instead
 * of Base64.
 */
export function withBytes(attribute: AttributeValue): AttributeValue {
  const [[type, value] = ["", undefined]] = Object.entries(attribute);
  if (type === "B") return { B: Buffer.from(value as string, "base64") };
  if (type === "L") return { L: (value as AttributeValue[]).map(withBytes) };
  if (type === "M") return { M: mapWithBytes(value as Record<string, AttributeValue>) };
  return attribute;
}

export const mapWithBytes = (
  attributes: Readonly<Record<string, AttributeValue>>,
): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, withBytes(value)]));
