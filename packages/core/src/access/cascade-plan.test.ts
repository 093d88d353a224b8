import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ancestryBelow, type KeyOrigin, planCascade } from "./cascade-plan.ts";

/** Generates keys with makers. The maker of each is an earlier key, or the admin key. */
const families = fc
  .array(fc.record({ maker: fc.nat(20), old: fc.boolean() }), { minLength: 1, maxLength: 20 })
  .map((made) => {
    const keys: KeyOrigin[] = [];
    for (const [at, { maker, old }] of made.entries()) {
      const by = keys[maker];
      const id = `key-${at}`;
      if (by === undefined) keys.push({ id, createdBy: "root", ...(old ? {} : { ancestors: [] }) });
      else {
        keys.push({ id, createdBy: by.id, ...(old ? {} : { ancestors: ancestryBelow(by) }) });
      }
    }
    return keys;
  });

const makersOf = (keys: readonly KeyOrigin[], id: string): string[] => {
  const by = keys.find((key) => key.id === id)?.createdBy;
  return by === undefined || by === "root" ? [] : [by, ...makersOf(keys, by)];
};

describe("the ancestors of a key", () => {
  it("[key.cascade] are those of its maker and the maker, also where an old row names none", () => {
    const ancestors = ["oldest", "older"];
    const makers: KeyOrigin[] = [
      { id: "maker", createdBy: "older", ancestors },
      { id: "maker", createdBy: "older" },
      { id: "maker", createdBy: "root" },
    ];
    expect(makers.map(ancestryBelow)).toEqual([
      [...ancestors, "maker"],
      ["older", "maker"],
      ["maker"],
    ]);
  });
});

describe("a cascade", () => {
  it("[key.cascade] a cascade finds exactly the keys that a key has created, directly or through others", () => {
    fc.assert(
      fc.property(families, fc.nat(19), (keys, at) => {
        const { id } = keys[at % keys.length] ?? { id: "" };
        const found = planCascade(keys, [id]).map((key) => key.id);
        const made = keys.filter((key) => makersOf(keys, key.id).includes(id));
        expect(found.sort()).toEqual(made.map((key) => key.id).sort());
      }),
    );
  });

  it("[key.cascade] an interrupted cascade finds the remaining keys again, wherever it stopped", () => {
    fc.assert(
      fc.property(families, fc.nat(19), fc.nat(19), (keys, at, done) => {
        const { id } = keys[at % keys.length] ?? { id: "" };
        const order = planCascade(keys, [id]);
        const gone = new Set(order.slice(0, done).map((key) => key.id));
        const left = keys.filter((key) => !gone.has(key.id));
        const rest = planCascade(left, [id]);
        expect(new Set([...gone, ...rest.map((key) => key.id)])).toEqual(
          new Set(order.map((key) => key.id)),
        );
      }),
    );
  });

  it("[key.cascade] a cascade finds the descendants of a key that is already deleted", () => {
    const grandchild = { id: "c", createdBy: "b", ancestors: ["a", "b"] };
    expect(planCascade([grandchild], ["a"])).toEqual([grandchild]);
  });
});
