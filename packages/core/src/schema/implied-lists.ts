import {
  type Atom,
  type Clause,
  countFacts,
  declaredItems,
  type Inside,
  ofItem,
  part,
  type Unproven,
} from "./facts.ts";
import type { Placed } from "./identity.ts";

/** Returns what of a clause about lists does not follow from facts. */
export function unprovenOfList(
  inside: Inside,
  known: readonly Atom[],
  clause: Clause,
): readonly Unproven[] {
  const { rule, schema } = clause;
  const unless = (isProven: boolean) => (isProven ? [] : [{ pointer: clause.pointer, rule }]);
  const lists = listFacts(inside, known, declaredItems(clause));
  switch (rule) {
    case "minItems":
      return unless(lists.low >= Number(schema.minItems));
    case "maxItems":
      return unless(lists.high <= Number(schema.maxItems));
    case "uniqueItems":
      return unless(lists.high <= 1 || known.some((atom) => atom.schema.uniqueItems === true));
    case "items": {
      const found: Unproven[] = [];
      for (const { index, facts } of lists.items) {
        found.push(
          ...inside.unproven(facts, ofItem({ ...clause, pointer: pathOf(clause) }, index)),
        );
      }
      return found;
    }
    case "contains":
      return unless(provesContains(inside, known, lists, clause));
    default:
      return unless(false);
  }
}

/** The clause may begin with `items` or `prefixItems`; the pointer of the schema is before it. */
const pathOf = ({ pointer }: Placed): string => pointer.slice(0, pointer.lastIndexOf("/"));

type ListFacts = {
  readonly low: number;
  readonly high: number;
  /** The facts of each item that can be there. The last ones hold for all further items. */
  readonly items: readonly { readonly index: number; readonly facts: readonly Placed[] }[];
};

/**
 * Returns what facts say about a list, and about each item up to the index `apart`, or further if
 * atoms declare more.
 */
function listFacts(inside: Inside, known: readonly Atom[], apart: number): ListFacts {
  let { low, high } = countFacts(known, "minItems", "maxItems");
  for (const { schema } of known) {
    if (schema.contains !== undefined) low = Math.max(low, Number(schema.minContains ?? 1));
  }
  const last = Math.max(apart, ...known.map(declaredItems));
  const items: ListFacts["items"][number][] = [];
  for (let index = 0; index <= last && index < high; index++) {
    const facts = known.map((atom) => ofItem(atom, index));
    if (inside.refutes(facts)) high = Math.min(high, index);
    else items.push({ index, facts });
  }
  return { low, high, items };
}

/** Returns whether it is proven that no list meets the facts. */
export function listIsImpossible(inside: Inside, known: readonly Atom[]): boolean {
  const { low, high } = listFacts(inside, known, 0);
  return low > high;
}

function provesContains(
  inside: Inside,
  known: readonly Atom[],
  { low, high, items }: ListFacts,
  clause: Atom,
): boolean {
  const { contains, minContains = 1, maxContains = Infinity } = clause.schema;
  const wanted = part(clause, contains);
  const counted = known.filter((atom) => atom.schema.contains !== undefined);
  const all = items.every(({ facts }) => inside.proves(facts, wanted));
  const isEnough =
    Number(minContains) === 0 ||
    (all && low >= Number(minContains)) ||
    counted.some(
      (atom) =>
        Number(atom.schema.minContains ?? 1) >= Number(minContains) &&
        items.every(({ facts }) =>
          inside.proves([...facts, part(atom, atom.schema.contains)], wanted),
        ),
    );
  if (!isEnough) return false;
  return (
    high <= Number(maxContains) ||
    items.every(({ facts }) => inside.refutes([...facts, wanted])) ||
    counted.some(
      (atom) =>
        Number(atom.schema.maxContains ?? Infinity) <= Number(maxContains) &&
        items.every(({ facts }) =>
          inside.proves([...facts, wanted], part(atom, atom.schema.contains)),
        ),
    )
  );
}
