import { FakeRefusal, validationError } from "./aws-error.ts";
import { parsePath } from "./path.ts";
import { readExpression, type Scope } from "./tokens.ts";
import { copyValue, type Item, isMap, type Value } from "./value.ts";

/** A parsed ProjectionExpression. It is cached and used for every request. */
export type Projection = {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  /** Returns a copy of the item with only these attributes. */
  pick(item: Item, scope: Scope): Item;
};

/** Parses a list of whole attributes. Paths into maps and lists are refused. */
export const parseProjection = (expression: string): Projection => {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  const reader = readExpression(expression);
  const paths = [parsePath(reader)];
  while (reader.accept(",")) paths.push(parsePath(reader));
  if (reader.peek().kind !== "end") reader.fail();
  const projection: Projection = {
    names: reader.names,
    values: reader.values,
    pick: (item, scope) => {
      const picked: Record<string, Value> = {};
      for (const path of paths) {
        const [name, ...rest] = path(scope);
        if (rest.length > 0) throw new FakeRefusal("a projection into an attribute");
        if (typeof name !== "string") continue;
        if (Object.hasOwn(picked, name)) throw validationError("Two document paths overlap");
        if (Object.hasOwn(item, name)) picked[name] = copyValue(item[name]);
      }
      return picked;
    },
  };
  parsed.set(expression, projection);
  return projection;
};

const parsed = new Map<string, Projection>();

/** Returns a copy of a whole item, so that no caller can change the table through it. */
export const copyItem = (item: unknown): Item => {
  const copy = copyValue(item);
  if (!isMap(copy)) throw validationError("An item is a map of attributes");
  return copy;
};
