import type { KeyScope } from "@eventledger/protocol";

/**
 * What keys could be given before there were `read` and `operate`: `consume` stood for all three.
 */
export type FirstScope = "admin" | "publish" | "consume";

const CONSUME: readonly KeyScope[] = ["read", "consume", "operate"];

/**
 * What a stored key may do. A row without `grants` is from before: it keeps what it could do,
 * however the scopes are divided since.
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
 * What code from before may let a new key do, as during a deployment and after a rollback: never
 * more than the key is granted. It knows neither bounds nor the parts of its `consume`.
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
