import { LIMITS, type PutSchemas, type SchemaDifference } from "@eventledger/protocol";
import type { Unproven } from "./facts.ts";
import type { Placed } from "./identity.ts";
import { createImplications, type Implications } from "./implication.ts";
import { pointerPart, type Schema } from "./keywords.ts";
import { TooManySteps } from "./validate.ts";

type Compatibility = NonNullable<PutSchemas["compatibility"]>;

type Direction = "backward" | "forward";

const DIRECTIONS: Readonly<Record<Compatibility, readonly Direction[]>> = {
  none: [],
  backward: ["backward"],
  forward: ["forward"],
  full: ["backward", "forward"],
};

/** Returns whether one of the modes forbids a difference of that direction. */
export const isForbidden = (
  direction: Direction,
  ...modes: readonly (Compatibility | undefined)[]
): boolean => modes.some((mode = "none") => DIRECTIONS[mode].includes(direction));

/**
 * Returns what is not compatible in new schemas. A type that has a schema before and after the
 * change is backward compatible if it is proven that the new schema accepts what the former one
 * accepts, and forward compatible if the reverse is proven. A schema can only be removed where no
 * mode forbids it, and a type that had none can get any. Pure.
 */
export function incompatibilities(
  former: PutSchemas,
  next: PutSchemas,
): readonly SchemaDifference[] {
  const found: SchemaDifference[] = [];
  const search = createImplications();
  for (const direction of DIRECTIONS.full) {
    found.push(...ofUndeclared(direction, former, next));
    for (const [type, before] of Object.entries(former.schemas)) {
      const pointer = `/schemas/${pointerPart(type)}`;
      if (!Object.hasOwn(next.schemas, type)) {
        const detail = "is removed";
        found.push({ direction, type, pointer, rule: "removed", detail });
        continue;
      }
      const [facts, goal] = inOrder(direction, placed(before), placed(next.schemas[type]));
      for (const each of differences(search, facts, goal)) {
        found.push({
          ...{ direction, type, rule: each.rule },
          pointer: `${pointer}${each.pointer}`,
          detail: inWords(direction, each),
        });
      }
    }
  }
  return found;
}

function ofUndeclared(
  direction: Direction,
  former: PutSchemas,
  next: PutSchemas,
): readonly SchemaDifference[] {
  const forbidden = direction === "backward" ? "refused" : "accepted";
  if (former.undeclared === next.undeclared || next.undeclared !== forbidden) return [];
  const detail = `must stay "${former.undeclared}"`;
  return [{ direction, pointer: "/undeclared", rule: "undeclared", detail }];
}

const inOrder = <T>(direction: Direction, former: T, next: T): readonly [T, T] =>
  direction === "backward" ? [former, next] : [next, former];

export const placed = (schema: unknown): Placed => ({
  ...{ schema: schema as Schema, root: schema as Schema, pointer: "" },
});

function differences(search: Implications, facts: Placed, goal: Placed): readonly Unproven[] {
  try {
    return search.unproven([facts], goal);
  } catch (error) {
    if (!(error instanceof TooManySteps)) throw error;
    return [{ pointer: "", rule: "steps" }];
  }
}

function inWords(direction: Direction, { rule }: Unproven): string {
  if (rule === "steps") {
    return `takes more than ${LIMITS.schemaProofStepsMax} steps to compare with the former schema`;
  }
  const what = rule === "false" ? "what is not allowed here" : `the keyword ${rule}`;
  return direction === "backward"
    ? `may refuse data that the former schema accepts: ${what}`
    : `is in the former schema, and the new one may accept data that it refuses: ${what}`;
}
