import {
  type Atom,
  absent,
  isAtom,
  type Keywords,
  negated,
  numberFacts,
  part,
  present,
  type ValueType,
  without,
} from "./facts.ts";
import type { Placed } from "./identity.ts";
import { isList, type Schema } from "./keywords.ts";

/** Ways to reduce a proof to simpler ones: values, opposites and cases. */

/** Returns all values of a type that can meet facts, if they are few. Some may not meet them. */
export function allValues(atoms: readonly Atom[], type: ValueType): readonly unknown[] | undefined {
  if (type === "null") return [null];
  if (type === "boolean") return [true, false];
  for (const { schema } of atoms) {
    if (Object.hasOwn(schema, "const")) return [schema.const];
    if (isList(schema.enum)) return schema.enum;
  }
  if (type !== "number") return undefined;
  const { low, high } = numberFacts(atoms);
  return low === high && Number.isFinite(low) ? [low] : undefined;
}

/** Returns what it means that a schema does not accept a value, if that is simple. */
export function oppositeOf(denied: Placed): readonly Placed[] | undefined {
  if (!isAtom(denied)) return [negated(denied)];
  const keywords = Object.keys(denied.schema);
  const [keyword] = keywords;
  if (keywords.length !== 1) return undefined;
  if (keyword === "not") return [part(denied, denied.schema.not)];
  if (keyword !== "anyOf") return undefined;
  return (denied.schema.anyOf as readonly Schema[]).map((each) => negated(part(denied, each)));
}

/** Returns cases of which each value meets one. Undefined when there is nothing to distinguish. */
export function branchesOf(atoms: readonly Atom[], type: ValueType): Placed[][] | undefined {
  for (const atom of atoms) {
    const { schema } = atom;
    const others = atoms.filter((other) => other !== atom);
    const rest = (...keywords: string[]) => [...others, without(atom, ...keywords)];
    const parts = (keyword: string) =>
      (schema[keyword] as readonly Schema[]).map((each) => part(atom, each));
    if (schema.anyOf !== undefined) return parts("anyOf").map((each) => [...rest("anyOf"), each]);
    // That the others refuse the value is left out. It is rarely needed, and costs many steps.
    if (schema.oneOf !== undefined) return parts("oneOf").map((each) => [...rest("oneOf"), each]);
    if (schema.if !== undefined) {
      const condition = part(atom, schema.if);
      const { then = true, else: otherwise = true } = schema;
      const left = rest("if", "then", "else");
      return [
        [...left, condition, part(atom, then)],
        [...left, negated(condition), part(atom, otherwise)],
      ];
    }
    if (type === "object") {
      const branches = dependentBranches(atom, others);
      if (branches !== undefined) return branches;
    }
  }
  return undefined;
}

/** Either the member is absent, or the value also meets what depends on it. */
function dependentBranches(atom: Atom, others: readonly Atom[]): Placed[][] | undefined {
  for (const keyword of ["dependentSchemas", "dependentRequired"] as const) {
    const entries: [string, unknown][] = Object.entries((atom.schema[keyword] ?? {}) as object);
    const [first, ...more] = entries;
    if (first === undefined) continue;
    const [name, value] = first;
    const kept: Keywords = without(atom, keyword).schema;
    const left = { ...kept, [keyword]: Object.fromEntries(more) };
    const rest = [...others, { ...atom, schema: left }];
    const also = keyword === "dependentRequired" ? { required: value } : value;
    return [
      [...rest, absent(name)],
      [...rest, present(name), part(atom, also)],
    ];
  }
  return undefined;
}
