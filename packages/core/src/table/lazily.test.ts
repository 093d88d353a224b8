import { describe, expect, it } from "vitest";
import { lazily } from "./lazily.ts";

describe("an object with lazy members", () => {
  const made: string[] = [];
  const object = lazily({
    one: () => made.push("one"),
    two: () => made.push("two"),
  });

  it("each member is created on first use, and once", () => {
    expect(Object.keys(object)).toEqual(["one", "two"]);
    expect(made).toEqual([]);
    expect([object.two, object.two]).toEqual([1, 1]);
    expect(made).toEqual(["two"]);
  });
});
