import { describe, expect, it } from "vitest";
import { assertListsEnough, assertSameList } from "./listed.ts";

const refuses = (check: () => void): boolean => {
  try {
    check();
    return false;
  } catch {
    return true;
  }
};

describe("a cursor of a list of keys", () => {
  it("continues only the list with its prefix, and an old cursor any", () => {
    const continues = (listed: string | undefined, prefix?: string) =>
      !refuses(() => assertSameList(listed === undefined ? {} : { listed }, prefix));
    expect([continues("a", "a"), continues("", undefined), continues(undefined, "b")]).toEqual([
      true,
      true,
      true,
    ]);
    expect([continues("a", "b"), continues("a", undefined), continues("a", "ab")]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("continues in a subscription whose keys the list has all shown", () => {
    const continues = (listed: string | undefined, keyPrefix?: string) =>
      !refuses(() => assertListsEnough(listed === undefined ? {} : { listed }, keyPrefix));
    expect([continues("a", "ab"), continues("a", "a"), continues(undefined, undefined)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([continues("ab", "a"), continues("a", undefined), continues("a", "b")]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
