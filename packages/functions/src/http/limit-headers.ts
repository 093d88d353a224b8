/** Returns the name of a quota in headers: `"key-requests"`. */
export const policyName = (of: string, quota: string): string =>
  `"${of}-${quota.replace(/PerSecond$|Bytes$/, "").toLowerCase()}"`;

/**
 * Returns the headers of a request that is over a quota, in the form of
 * draft-ietf-httpapi-ratelimit-headers-10.
 */
export function limitHeaders(
  { quota, of, limit }: Readonly<Record<string, unknown>>,
  seconds = 1,
): Record<string, string> {
  const name = policyName(String(of), String(quota));
  const isRate = String(quota).endsWith("PerSecond");
  return {
    "RateLimit-Policy": `${name};q=${limit}${isRate ? ";w=1" : ""}`,
    RateLimit: `${name};r=0${isRate ? `;t=${seconds}` : ""}`,
  };
}
