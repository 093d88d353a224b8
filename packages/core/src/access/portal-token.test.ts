import { expect, it } from "vitest";
import { createCursors } from "../cursor/cursor.ts";
import { LedgerError } from "../kernel/error.ts";
import { defaultTenant } from "../model/names.ts";
import { createPortalTokens, type PortalGrant } from "./portal-token.ts";

const keyOf = (id: number, secret: string) => ({ id, secret: Buffer.from(secret) });
const SECRET = "a secret of this stage";
const NOW = Date.UTC(2026, 10, 29);

const grant: PortalGrant = {
  id: "0123456789ab",
  keyId: "ba9876543210",
  tenant: defaultTenant,
  validUntil: NOW + 1,
  scopes: ["read", "endpoints"],
  keyPrefix: "acme/é\u0001",
  subscriptions: ["acme", "acme.2"],
  lives: new Map([
    ["orders", "uid-1"],
    ["invoices", "uid_2"],
  ]),
};
const tokens = createPortalTokens([keyOf(1, SECRET)]);
const why = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof LedgerError && error.code === "unauthorized") return error.detail;
    throw error;
  }
  return "accepted";
};

it("[portal.form] a token says what it was made with, for every set of scopes", () => {
  for (const scopes of [["read"], ["endpoints"], ["read", "endpoints"]] as const) {
    const of = { ...grant, scopes };
    expect(tokens.read(tokens.format(of), NOW)).toEqual(of);
  }
  const least = { ...grant, keyPrefix: "", subscriptions: [], lives: new Map([["o", "u"]]) };
  expect(tokens.read(tokens.format(least), NOW)).toEqual(least);
});

it("[portal.form] a token that was altered or cut at any place is refused", () => {
  const text = tokens.format(grant).slice(4);
  const bytes = Buffer.from(text, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] ?? 0) ^ 1;
    const { length } = bytes.subarray(0, at);
    expect(
      why(() => tokens.read(`elt_${altered.toString("base64url")}`, NOW)),
      `${at}`,
    ).toMatch(at === 1 ? /no longer in use/ : /altered/);
    const cut = bytes.subarray(0, length).toString("base64url");
    expect(
      why(() => tokens.read(`elt_${cut}`, NOW)),
      `${at}`,
    ).toMatch(/altered/);
  }
  for (const more of [`${text}A`, `${text}=`, `${text} `, `!${text}`]) {
    expect(why(() => tokens.read(`elt_${more}`, NOW))).toMatch(/altered/);
  }
});

it("[portal.ends] a token is refused from the moment on at which it expires", () => {
  const token = tokens.format(grant);
  expect(why(() => tokens.read(token, NOW))).toBe("accepted");
  expect(why(() => tokens.read(token, NOW + 1))).toMatch(/expired at 2026-11-29T00:00:00\.001Z/);
});

it("[portal.ends] a token is accepted until the key that signed it is removed", () => {
  const token = tokens.format(grant);
  const rotated = createPortalTokens([keyOf(2, "a newer secret"), keyOf(1, SECRET)]);
  expect(rotated.read(token, NOW)).toEqual(grant);
  expect(rotated.format(grant)).not.toBe(token);
  const removed = createPortalTokens([keyOf(2, "a newer secret")]);
  expect(why(() => removed.read(token, NOW))).toMatch(/no longer in use/);
  const other = createPortalTokens([keyOf(1, "a secret of another stage")]);
  expect(why(() => other.read(token, NOW))).toMatch(/did not make/);
});

it("[portal.form] neither a cursor nor anything signed with its key is a token", () => {
  const cursors = createCursors([keyOf(1, SECRET)]);
  const cursor = cursors.format({ life: "l", positions: [], nextPartition: 0 });
  expect(why(() => tokens.read(`elt_${cursor}`, NOW))).toMatch(/altered/);
  expect(() => cursors.parse(tokens.format(grant).slice(4))).toThrow(/cursor/);
});

it("[portal.form] a grant that does not fit into a header is refused", () => {
  const names = Array.from({ length: 8 }, (_, at) => `${at}`.padEnd(128, "n"));
  const lives = new Map(names.map((name) => [name, "u".repeat(12)]));
  const large = { ...grant, subscriptions: names, lives, keyPrefix: "k".repeat(512) };
  expect(() => tokens.format(large)).not.toThrow();
  expect(() => tokens.format({ ...large, keyPrefix: "k".repeat(1_000) })).toThrow(/longer than/);
});
