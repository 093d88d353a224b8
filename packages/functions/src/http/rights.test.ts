import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { RIGHTS, type Right, rightInWords } from "./rights.ts";

const PAGE = path.join(import.meta.dirname, "../../../../docs/access.md");
const TABLE = /(?<=<!-- rights -->\n\n).*?(?=\n<!-- \/rights -->)/s;

it("[key.scopes] docs/access.md documents the scopes that are enforced (WRITE=1 writes the page)", () => {
  const page = readFileSync(PAGE, "utf8");
  if (process.env.WRITE === "1") writeFileSync(PAGE, page.replace(TABLE, printRights()));
  expect(TABLE.exec(readFileSync(PAGE, "utf8"))?.[0]).toBe(printRights());
});

it("[key.scopes] the OpenAPI document names the key that an operation needs", () => {
  expect(rightInWords({ scopes: ["public"], bound: "free" })).toBe("Needs no API key.");
  expect(rightInWords({ scopes: ["root"], bound: "free" })).toBe(
    "Needs the admin key of the installation.",
  );
  expect(rightInWords({ scopes: ["any"], bound: "free" })).toBe("Needs any API key.");
  expect(rightInWords({ scopes: ["read", "operate"], bound: "within" })).toBe(
    "Needs an API key with the scope `read` or `operate`.",
  );
  expect(rightInWords({ scopes: ["read"], bound: "within", portal: "read" })).toBe(
    "Needs an API key with the scope `read`, or a portal token with `read`.",
  );
  expect(rightInWords({ scopes: ["any"], bound: "free", portal: "any" })).toBe(
    "Needs any API key, or any portal token.",
  );
  expect(rightInWords({ scopes: ["admin"], bound: "refused" })).toBe(
    "Needs an API key with the scope `admin`, bound to neither subscriptions nor a key prefix.",
  );
});

const WORDS: Readonly<Record<string, string>> = {
  free: "the same",
  within: "within its bounds",
  refused: "refused",
  public: "no key",
  any: "any key",
  root: "the admin key of the installation",
};

function printRights(): string {
  const rows = Object.entries<Right>(RIGHTS).map(([id, { scopes, bound, portal }]) => {
    const taken = scopes.map((scope) => WORDS[scope] ?? `\`${scope}\``).join(" or ");
    const isPublic = scopes[0] === "public";
    const token = portal === undefined ? "refused" : portal === "any" ? "any" : `\`${portal}\``;
    return `| \`${id}\` | ${taken} | ${isPublic ? "" : WORDS[bound]} | ${isPublic ? "" : token} |`;
  });
  const head = ["| operation | takes | for a bound key | for a portal token |"];
  return [...head, "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}
