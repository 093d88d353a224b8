/** Matches `self`, an origin, or an origin whose host begins with `*.`. */
const ANCESTOR = /^(?:self|https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d+)?)$/;

/**
 * Reads the sites that may embed the portal, separated by commas. Throws an Error with one line for
 * anything else, because it would become a part of the page's security policy.
 */
export function readPortalAncestors(text = ""): string[] {
  const found = text.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
  const wrong = found.find((one) => !ANCESTOR.test(one));
  if (wrong === undefined) return found;
  throw new Error(
    `EVENTLEDGER_PORTAL_ANCESTORS has "${wrong}"; it can be self and origins such as https://app.example.com, with commas between.`,
  );
}

/** Returns the sources of the directive `frame-ancestors`. */
export const ancestorSources = (ancestors: readonly string[]): string =>
  ancestors.length === 0
    ? "'none'"
    : ancestors.map((one) => (one === "self" ? "'self'" : one)).join(" ");
