import { expect, it } from "vitest";
import { ancestorSources, readPortalAncestors } from "./portal-ancestors.ts";

it("[portal.framed] without the setting, no site may embed the portal", () => {
  expect(ancestorSources(readPortalAncestors())).toBe("'none'");
  expect(ancestorSources(readPortalAncestors(" , "))).toBe("'none'");
});

it("[portal.framed] the setting names origins, and the own site as self", () => {
  const read = readPortalAncestors("self, https://app.example.com,https://*.shop.example:8443");
  expect(ancestorSources(read)).toBe("'self' https://app.example.com https://*.shop.example:8443");
});

it.each([
  "*",
  "https://a.example; script-src *",
  "'self'",
  "https://a.example/path",
  "app.example",
])("[portal.framed] the setting refuses %s", (text) => {
  expect(() => readPortalAncestors(text)).toThrow(/EVENTLEDGER_PORTAL_ANCESTORS/);
});
