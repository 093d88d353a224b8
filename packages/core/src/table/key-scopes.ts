import type { KeyScope } from "@eventledger/protocol";

/** The scopes of keys before `read` and `operate` existed. `consume` included all three. */
export type FirstScope = "admin" | "publish" | "consume";

const CONSUME: readonly KeyScope[] = ["read", "consume", "operate"];

/**
 * Returns the scopes of a stored key. A row without `grants` is an old one. It keeps its rights,
 * however the scopes have been divided since then.
 */
export const scopesOf = ({
  scopes,
  grants,
}: {
  readonly scopes: readonly FirstScope[];
  readonly grants?: readonly KeyScope[] | undefined;
}): readonly KeyScope[] =>
  grants ?? scopes.flatMap((scope) => (scope === "consume" ? CONSUME : [scope]));

/**
 * Returns the scopes that older code may allow a new key, as during a deployment and after a
 * rollback. They never exceed the key's grants. Older code knows neither bounds nor the parts of
 * its `consume`.
 */
export function firstScopesOf(key: {
  readonly scopes: readonly KeyScope[];
  readonly subscriptions?: readonly string[] | undefined;
  readonly keyPrefix?: string | undefined;
}): readonly FirstScope[] {
  if (key.subscriptions !== undefined || key.keyPrefix !== undefined) return [];
  const has = (scope: KeyScope): boolean => key.scopes.includes(scope);
  const consumes: readonly FirstScope[] = CONSUME.every(has) ? ["consume"] : [];
  return [...(["admin", "publish"] as const).filter(has), ...consumes];
}
