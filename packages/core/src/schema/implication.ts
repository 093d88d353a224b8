import { LIMITS } from "@eventledger/protocol";
import { allValues, branchesOf, oppositeOf } from "./cases.ts";
import { clausesOf, RULES_OF_TYPE } from "./clauses.ts";
import {
  type Atom,
  allowsType,
  type Clause,
  type Inside,
  impliesNumber,
  isAtom,
  isEmptyRange,
  lengthFacts,
  names,
  negated,
  numberFacts,
  OF_TYPE,
  own,
  parentOf,
  part,
  present,
  targetOf,
  type Unproven,
  VALUE_TYPES,
  type ValueType,
  without,
} from "./facts.ts";
import { createIdentities, type Placed } from "./identity.ts";
import { listIsImpossible, unprovenOfList } from "./implied-lists.ts";
import { objectIsImpossible, unprovenOfObject } from "./implied-objects.ts";
import { isList, type Schema } from "./keywords.ts";
import { accepts, TooManySteps } from "./validate.ts";

/** Facts about a value: what follows from schemas at once, and the numbers of those schemas. */
type Known = { readonly atoms: readonly Atom[]; readonly ids: ReadonlySet<number> };

/**
 * Searches for proofs that schemas imply another one: that every value which they accept is
 * accepted by it. A proof is always right. For some implications that hold, none is found. All
 * proofs of one search share a number of steps, and the search throws `TooManySteps` after them.
 */
export function createImplications(steps: number = LIMITS.schemaProofStepsMax) {
  const { idOf } = createIdentities();
  const left = { steps };
  /** How far the value of the present goal is inside the value of the first one. */
  let depth = 0;
  /** The implications that are being proven, with the depth of their values. */
  const open = new Map<string, number>();
  /**
   * The implications that are proven, with the depth of their values, and their keys in order. A
   * proof may assume an open implication about a value outside of its own. So it is used again only
   * for values that are as far inside, and is forgotten when what surrounds it is not proven.
   */
  const proven = new Map<string, number>();
  const order: string[] = [];
  /** Whether to name all unproven parts of a goal. */
  let gathers = false;

  /** Returns what of a goal does not follow from facts. Empty when the goal follows. */
  function unproven(facts: readonly Placed[], goal: Placed): readonly Unproven[] {
    const known = knownFrom(facts);
    if (known === undefined || goal.schema === true) return [];
    const id = idOf(goal);
    if (known.ids.has(id)) return [];
    const key = `${[...known.ids].sort((a, b) => a - b).join()}>${id}`;
    const above = open.get(key);
    // The same implication about a smaller value may be assumed, because values are finite.
    if (above !== undefined) {
      return depth > above ? [] : [{ pointer: goal.pointer, rule: "$ref" }];
    }
    if (depth >= (proven.get(key) ?? Infinity)) return [];
    if (open.size >= OPEN_MAX) throw new TooManySteps();
    const before = order.length;
    open.set(key, depth);
    let isProven = false;
    try {
      const found: Unproven[] = [];
      for (const clause of clausesOf(goal)) {
        found.push(...unprovenClause(known, clause));
        if (found.length > 0 && !gathers) break;
      }
      isProven = found.length === 0;
      return found;
    } finally {
      open.delete(key);
      if (!isProven) for (const each of order.splice(before)) proven.delete(each);
      else {
        proven.set(key, depth);
        order.push(key);
      }
    }
  }

  /** Returns whether a goal follows from facts. */
  function proves(facts: readonly Placed[], goal: Placed): boolean {
    const before = gathers;
    gathers = false;
    try {
      return unproven(facts, goal).length === 0;
    } finally {
      gathers = before;
    }
  }

  /** Returns whether no value meets all facts. */
  const refutes = (facts: readonly Placed[]): boolean => proves(facts, own(false));

  /** The same about a part of the value. */
  const inside: Inside = {
    unproven: (facts, goal) => deeper(() => unproven(facts, goal)),
    proves: (facts, goal) => deeper(() => proves(facts, goal)),
    refutes: (facts) => deeper(() => refutes(facts)),
    accepts: ({ root, schema }, value) => {
      const check = { root, ...left };
      try {
        return accepts(check, schema, value);
      } finally {
        left.steps = check.steps;
      }
    },
  };

  function deeper<T>(run: () => T): T {
    depth++;
    try {
      return run();
    } finally {
      depth--;
    }
  }

  /** Follows references and `allOf`. Undefined when a fact is that no value is accepted. */
  function knownFrom(facts: readonly Placed[]): Known | undefined {
    const atoms = new Map<number, Atom>();
    const ids = new Set<number>();
    const queue = [...facts];
    for (const fact of queue) {
      if (--left.steps < 0) throw new TooManySteps();
      if (fact.schema === false) return undefined;
      if (!isAtom(fact)) continue;
      const id = idOf(fact);
      if (ids.has(id)) continue;
      ids.add(id);
      const target = targetOf(fact);
      if (target !== undefined) queue.push(target);
      for (const each of (fact.schema.allOf ?? []) as readonly Schema[])
        queue.push(part(fact, each));
      const denied = fact.schema.not;
      const opposite = denied === undefined ? undefined : oppositeOf(part(fact, denied));
      if (opposite !== undefined) queue.push(...opposite);
      const atom = without(fact, "$ref", "allOf", ...(opposite === undefined ? [] : ["not"]));
      if (Object.keys(atom.schema).length > 0) atoms.set(idOf(atom), atom);
    }
    return { atoms: [...atoms.values()], ids };
  }

  function unprovenClause(known: Known, clause: Clause): readonly Unproven[] {
    for (const type of VALUE_TYPES) {
      if (!allowsType(known.atoms, type)) continue;
      const found = unprovenOfType(known.atoms, type, clause);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** Returns whether a clause follows for values of one type. */
  function unprovenOfType(
    facts: readonly Atom[],
    type: ValueType,
    clause: Clause,
  ): readonly Unproven[] {
    if (--left.steps < 0) throw new TooManySteps();
    const fact = own(OF_TYPE[type]) as Atom;
    const atoms = [...facts.filter((atom) => atom.schema !== fact.schema), fact];
    const failed = [{ pointer: clause.pointer, rule: clause.rule }];
    const values = allValues(atoms, type);
    if (values !== undefined) {
      const possible = values.filter((value) => atoms.every((atom) => inside.accepts(atom, value)));
      return possible.every((value) => inside.accepts(clause, value)) ? [] : failed;
    }
    const found = unprovenAtOnce(atoms, type, clause);
    if (found.length === 0 || isImpossible(atoms, type)) return [];
    const branches = branchesOf(atoms, type);
    if (branches === undefined) return found;
    for (const branch of branches) {
      const known = knownFrom(branch);
      if (known === undefined || !allowsType(known.atoms, type)) continue;
      const rest = unprovenOfType(known.atoms, type, clause);
      if (rest.length > 0) return rest;
    }
    return [];
  }

  function unprovenAtOnce(
    atoms: readonly Atom[],
    type: ValueType,
    clause: Clause,
  ): readonly Unproven[] {
    const { rule, schema } = clause;
    const failed = [{ pointer: clause.pointer, rule }];
    const unless = (isProven: boolean) => (isProven ? [] : failed);
    const value = schema[rule];
    const parts = () => (value as readonly Schema[]).map((each, at) => part(clause, each, at));
    const within = RULES_OF_TYPE[rule];
    if (within !== undefined && within !== type) return [];
    switch (rule) {
      case "type": {
        const types = [value].flat();
        if (types.includes(type)) return [];
        const isWhole = type === "number" && types.includes("integer");
        return unless(isWhole && numberFacts(atoms).whole);
      }
      case "anyOf":
        return unless(parts().some((each) => proves(atoms, each)));
      case "oneOf":
        return unless(provesOneOf(atoms, parts()));
      case "not":
        return unless(refutes([...atoms, part(clause, value)]));
      case "if": {
        const condition = part(clause, value);
        const { then = true, else: otherwise = true } = schema;
        const whenMet = part({ ...clause, pointer: parentOf(clause.pointer) }, then, "then");
        const whenNot = part({ ...clause, pointer: parentOf(clause.pointer) }, otherwise, "else");
        return [
          ...unproven([...atoms, condition], whenMet),
          ...unproven([...atoms, negated(condition)], whenNot),
        ];
      }
      case "dependentRequired":
        return unless(
          Object.entries(value as object).every(([name, others]) =>
            proves([...atoms, present(name)], own({ required: names(others) })),
          ),
        );
      case "dependentSchemas":
        return Object.entries(value as object).flatMap(([name, each]) =>
          unproven([...atoms, present(name)], part(clause, each, name)),
        );
      case "minLength":
        return unless(lengthFacts(atoms).low >= Number(value));
      case "maxLength":
        return unless(lengthFacts(atoms).high <= Number(value));
    }
    if (within === "number") {
      return unless(impliesNumber(numberFacts(atoms), rule, Number(value)));
    }
    if (within === "array") return unprovenOfList(inside, atoms, clause);
    if (within === "object") return unprovenOfObject(inside, atoms, clause);
    return failed;
  }

  /** Exactly one part accepts: one does, and it excludes all others; or the facts say the same. */
  function provesOneOf(atoms: readonly Atom[], parts: readonly Placed[]): boolean {
    const excludesOthers = (of: Placed) =>
      parts.every((other) => other === of || refutes([...atoms, of, other]));
    if (parts.some((each) => proves(atoms, each) && excludesOthers(each))) return true;
    return atoms.some((atom) => {
      const { oneOf } = atom.schema;
      if (!isList(oneOf) || oneOf.length !== parts.length) return false;
      const facts = [...atoms.filter((other) => other !== atom), without(atom, "oneOf")];
      return parts.every((each, at) => {
        const same = part(atom, oneOf[at]);
        return proves([...facts, same], each) && proves([...facts, each], same);
      });
    });
  }

  /** Returns whether it is proven that no value of a type meets the facts. */
  function isImpossible(atoms: readonly Atom[], type: ValueType): boolean {
    if (type === "number" && isEmptyRange(numberFacts(atoms))) return true;
    const { low, high } = lengthFacts(atoms);
    if (type === "string" && low > high) return true;
    if (type === "array" && listIsImpossible(inside, atoms)) return true;
    if (type === "object" && objectIsImpossible(inside, atoms)) return true;
    return atoms.some((atom) => {
      const { not } = atom.schema;
      if (not === undefined) return false;
      const others = atoms.filter((other) => other !== atom);
      return proves([...others, without(atom, "not")], part(atom, not));
    });
  }

  return {
    /** Returns whether a goal follows from facts. */
    proves,
    /** Returns whether it is proven that no value meets all facts. */
    refutes,
    /** Returns all of a goal that does not follow from facts. Empty when it follows. */
    unproven(facts: readonly Placed[], goal: Placed): readonly Unproven[] {
      gathers = true;
      const found = unproven(facts, goal);
      return [...new Map(found.map((each) => [`${each.rule} ${each.pointer}`, each])).values()];
    },
  };
}

/** Deeper searches end like those with too many steps, so that they fit into the stack. */
const OPEN_MAX = 100;

export type Implications = ReturnType<typeof createImplications>;
