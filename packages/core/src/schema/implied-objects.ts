import {
  type Atom,
  type Clause,
  countFacts,
  declaredNames,
  type Inside,
  names,
  ofMember,
  own,
  part,
  requiredNames,
  type Unproven,
} from "./facts.ts";
import type { Placed } from "./identity.ts";

/** Returns what of a clause about objects does not follow from facts. */
export function unprovenOfObject(
  inside: Inside,
  known: readonly Atom[],
  clause: Clause,
): readonly Unproven[] {
  const { rule, schema } = clause;
  const unless = (isProven: boolean) => (isProven ? [] : [{ pointer: clause.pointer, rule }]);
  switch (rule) {
    case "required": {
      const required = requiredNames(known);
      return names(schema.required).flatMap((name, at) =>
        required.has(name) ? [] : [{ pointer: `${clause.pointer}/${at}`, rule }],
      );
    }
    case "minProperties": {
      const { low } = countFacts(known, "minProperties", "maxProperties");
      return unless(Math.max(low, requiredNames(known).size) >= Number(schema.minProperties));
    }
    case "maxProperties":
      return unless(mostMembers(inside, known) <= Number(schema.maxProperties));
    case "properties":
      return unprovenMembers(inside, known, clause);
    case "propertyNames":
      return unless(provesNames(inside, known, part(clause, schema.propertyNames)));
    default:
      return unless(false);
  }
}

function unprovenMembers(
  inside: Inside,
  known: readonly Atom[],
  clause: Atom,
): readonly Unproven[] {
  const goal = { ...clause, pointer: clause.pointer.slice(0, clause.pointer.lastIndexOf("/")) };
  const declared = [...new Set([...known, clause].flatMap(declaredNames))];
  const found: Unproven[] = [];
  for (const name of declared) {
    if (!allowsName(inside, known, name)) continue;
    const facts = known.map((atom) => ofMember(atom, name));
    found.push(...inside.unproven(facts, ofMember(goal, name)));
  }
  if (schemaOfOthers(clause) === true || !hasOthers(inside, known, declared)) return found;
  const facts = known.map((atom) => ofMember(atom, undefined));
  return [...found, ...inside.unproven(facts, ofMember(goal, undefined))];
}

const schemaOfOthers = ({ schema }: Atom): unknown => schema.additionalProperties ?? true;

/** Returns whether the facts allow a member of that name, as far as names are concerned. */
const allowsName = (inside: Inside, known: readonly Atom[], name: string): boolean =>
  namesOf(known).every((of) => inside.accepts(of, name));

const namesOf = (known: readonly Atom[]): readonly Placed[] =>
  known.flatMap((atom) =>
    atom.schema.propertyNames === undefined ? [] : [part(atom, atom.schema.propertyNames)],
  );

/** Returns whether an object may have members besides those of some names. */
function hasOthers(inside: Inside, known: readonly Atom[], declared: readonly string[]): boolean {
  if (inside.refutes(known.map((atom) => ofMember(atom, undefined)))) return false;
  const restricted = namesOf(known);
  if (restricted.length === 0) return true;
  return !inside.refutes([
    ...restricted,
    own({ type: "string" }),
    own({ not: { enum: declared } }),
  ]);
}

/** Returns whether an object may have a member of that name. */
const canHave = (inside: Inside, known: readonly Atom[], name: string): boolean =>
  allowsName(inside, known, name) && !inside.refutes(known.map((atom) => ofMember(atom, name)));

/** Returns how many members an object has at most. */
function mostMembers(inside: Inside, known: readonly Atom[]): number {
  const { high } = countFacts(known, "minProperties", "maxProperties");
  const declared = [...new Set(known.flatMap(declaredNames))];
  if (high === 0 || hasOthers(inside, known, declared)) return high;
  return Math.min(high, declared.filter((name) => canHave(inside, known, name)).length);
}

function provesNames(inside: Inside, known: readonly Atom[], goal: Placed): boolean {
  if (inside.proves([...namesOf(known), own({ type: "string" })], goal)) return true;
  const declared = [...new Set(known.flatMap(declaredNames))];
  if (hasOthers(inside, known, declared)) return false;
  return declared.every((name) => inside.accepts(goal, name) || !canHave(inside, known, name));
}

/** Returns whether it is proven that no object meets the facts. */
export function objectIsImpossible(inside: Inside, known: readonly Atom[]): boolean {
  const required = requiredNames(known);
  if ([...required].some((name) => !canHave(inside, known, name))) return true;
  const { low } = countFacts(known, "minProperties", "maxProperties");
  return Math.max(low, required.size) > mostMembers(inside, known);
}
