import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { placed } from "../../../../packages/core/src/schema/compatibility.ts";
import { createImplications } from "../../../../packages/core/src/schema/implication.ts";
import { faultsOf, KEYWORDS, type Schema } from "../../../../packages/core/src/schema/keywords.ts";
import { violations } from "../../../../packages/core/src/schema/validate.ts";

/** The public test suite of JSON Schema, draft 2020-12. */

type Group = {
  /** The file of the suite: mostly the keyword that it is about. */
  readonly keyword: string;
  readonly description: string;
  readonly schema: Schema;
  readonly tests: readonly { readonly data: unknown; readonly valid: boolean }[];
};

const file = new URL("./json-schema-test-suite/draft2020-12.ndjson", import.meta.url);
const groups: readonly Group[] = readFileSync(file, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));
const taken = groups.filter(({ schema }) => faultsOf(schema).length === 0);

/** Of all pairs of schemas, one in so many is compared. */
const STRIDE = Number(process.env.STRIDE ?? 5);

describe("the JSON Schema Test Suite", () => {
  it("[schema.refused] has tests of every keyword that is taken, and the others are refused", () => {
    const covered = new Set(taken.map(({ keyword }) => keyword));
    const asserting = Object.keys(KEYWORDS).filter((keyword) => KEYWORDS[keyword] !== "any");
    const without = asserting.filter((keyword) => !covered.has(FILES[keyword] ?? keyword));
    expect(without).toEqual([]);
    const refused = groups.filter((group) => !taken.includes(group));
    console.log(`${taken.length} of ${groups.length} groups are taken`);
    for (const { schema, description } of refused) {
      const reasons = faultsOf(schema).map(({ detail }) => detail);
      expect(
        reasons.every((reason) => REASONS.some((known) => reason.startsWith(known))),
        `${description}: ${reasons}`,
      ).toBe(true);
    }
    expect(taken.length).toBe(202);
  });

  it("[schema.checked] gives the result that the suite expects in each test of a schema that is taken", () => {
    const wrong = taken.flatMap(({ description, schema, tests }) =>
      tests
        .filter(({ data, valid }) => (violations(schema, data).length === 0) !== valid)
        .map(({ data }) => `${description}: ${JSON.stringify(data)}`),
    );
    expect(wrong).toEqual([]);
    expect(taken.flatMap(({ tests }) => tests).length).toBe(739);
  });

  it("[schema.compatible] no schema is proven to imply another one that refuses data which it accepts", () => {
    const data = [
      ...new Map(
        taken.flatMap(({ tests }) => tests).map((each) => [JSON.stringify(each.data), each.data]),
      ).values(),
    ];
    const schemas = taken.map(({ schema }) => ({
      schema,
      accepted: data.map((each) => violations(schema, each).length === 0),
    }));
    let proven = 0;
    let compared = 0;
    for (const [index, one] of schemas.entries()) {
      expect(
        createImplications().proves([placed(one.schema)], placed(structuredClone(one.schema))),
      ).toBe(true);
      for (let at = index % STRIDE; at < schemas.length; at += STRIDE) {
        const other = schemas[at];
        if (other === undefined) continue;
        compared++;
        if (!createImplications().proves([placed(one.schema)], placed(other.schema))) continue;
        proven++;
        const wrong = data.filter((_, n) => one.accepted[n] && !other.accepted[n]);
        expect(wrong, `${JSON.stringify(one.schema)} and ${JSON.stringify(other.schema)}`).toEqual(
          [],
        );
      }
    }
    console.log(`${proven} of ${compared} implications are proven`);
  });
});

/** The files with the tests of keywords that have no file of their own. */
const FILES: Readonly<Record<string, string>> = {
  if: "if-then-else",
  // biome-ignore lint/suspicious/noThenProperty: this is the keyword
  then: "if-then-else",
  else: "if-then-else",
  $ref: "ref",
  $defs: "ref",
  $schema: "ref",
};

const REASONS = [
  "is a keyword that is not supported",
  "must be # or #/$defs/",
  "must not refer to itself",
  'must be "https://json-schema.org/draft/2020-12/schema"',
];
