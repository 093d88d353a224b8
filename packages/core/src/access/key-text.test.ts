import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatKey, type KeyKind, newKeyId, newSecret, parseKey } from "./key-text.ts";

const random = { bytes: (count: number) => randomBytes(count), fraction: () => 0 };
const draw = (kind: KeyKind = "live") => ({
  kind,
  id: newKeyId(random),
  secret: newSecret(random),
});

describe("the text of an API key", () => {
  it("[key.form] a key has the form that scanners for leaked secrets look for", () => {
    const text = formatKey({ kind: "live", id: "0123456789ab", secret: "A".repeat(32) });
    expect(text).toBe(`elk_live_0123456789ab_${"A".repeat(32)}${text.slice(-6)}`);
    expect(text).toHaveLength(60);
  });

  it("a key is parsed as it was written", () => {
    for (let i = 0; i < 200; i++) {
      const key = draw(i % 2 === 0 ? "live" : "test");
      expect(parseKey(formatKey(key))).toEqual(key);
    }
  });

  it("[key.form] a wrong character anywhere makes a key invalid without a read", () => {
    const text = formatKey(draw());
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === "a" ? "b" : "a";
      expect(parseKey(text.slice(0, at) + other + text.slice(at + 1)), `at ${at}`).toBeUndefined();
    }
    for (const wrong of ["", "elk_", text.slice(1), `${text}0`, `${text}\n`, text.toUpperCase()]) {
      expect(parseKey(wrong)).toBeUndefined();
    }
  });

  it("random text contains every character equally often, and never repeats", () => {
    const drawn = Array.from({ length: 2_000 }, () => newSecret(random));
    const counts = new Map<string, number>();
    for (const char of drawn.join("")) counts.set(char, (counts.get(char) ?? 0) + 1);
    const expected = (2_000 * 32) / 62;
    expect(counts.size).toBe(62);
    // Seven standard deviations. A fair draw exceeds this once in 10 billion runs.
    const tolerance = 7 * Math.sqrt(expected);
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(tolerance);
    expect(new Set(drawn).size).toBe(drawn.length);
  });
});
