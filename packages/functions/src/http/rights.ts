import type { KeyScope } from "@eventledger/protocol";

/**
 * The callers that may use an operation: any client, the bearer of any key, of a key with that
 * scope, or of the admin key.
 */
export type Scope = "public" | "any" | "root" | KeyScope;

/** The rights that an operation needs from an API key. */
export type Right = {
  /** Any of these is enough. The first is the one that is meant for this operation. */
  readonly scopes: readonly [Scope, ...Scope[]];
  /**
   * The effect on a key that is bound. `free`: no effect, since the operation is not about events
   * or subscriptions. `within`: the request may name only what the key covers, and the answer
   * contains nothing else. `refused`: the operation reaches beyond any bound.
   */
  readonly bound: "free" | "within" | "refused";
  /**
   * The operation tells by itself whether a subscription is the caller's: it may be gone already.
   */
  readonly reachesAlone?: true;
  /** The answer contains events. It may be withheld from a key that has ended in the meantime. */
  readonly delivers?: true;
};

/**
 * The one table of what takes what, by operation. The routes enforce it, and the OpenAPI document
 * and docs/access.md are printed from it. An operation that is missing here does not compile.
 */
export const RIGHTS = {
  health: { scopes: ["public"], bound: "free" },
  getOpenApi: { scopes: ["public"], bound: "free" },
  getDocs: { scopes: ["public"], bound: "free" },
  getProblems: { scopes: ["public"], bound: "free" },
  getDocsAsset: { scopes: ["public"], bound: "free" },
  whoami: { scopes: ["any"], bound: "free" },

  createStream: { scopes: ["admin"], bound: "refused" },
  listStreams: { scopes: ["read"], bound: "free" },
  getStream: { scopes: ["read"], bound: "within" },
  patchStream: { scopes: ["admin"], bound: "refused" },
  deleteStream: { scopes: ["admin"], bound: "refused" },
  compactStream: { scopes: ["admin"], bound: "refused" },
  repairNumbering: { scopes: ["admin"], bound: "refused" },

  publishEvents: { scopes: ["publish"], bound: "within" },
  browseEvents: { scopes: ["read"], bound: "within", delivers: true },
  listCompacted: { scopes: ["read"], bound: "within", delivers: true },
  getCompacted: { scopes: ["read"], bound: "within", delivers: true },

  createSubscription: { scopes: ["consume"], bound: "within" },
  listSubscriptions: { scopes: ["read"], bound: "within" },
  getSubscription: { scopes: ["read", "consume", "operate"], bound: "within" },
  poll: { scopes: ["consume"], bound: "within", delivers: true },
  commitAndPoll: { scopes: ["consume"], bound: "within", delivers: true },
  commit: { scopes: ["consume"], bound: "within" },
  leave: { scopes: ["consume"], bound: "within" },
  patchSubscription: { scopes: ["operate"], bound: "within" },
  deleteSubscription: { scopes: ["operate"], bound: "within", reachesAlone: true },
  seek: { scopes: ["operate"], bound: "within" },

  park: { scopes: ["operate"], bound: "within" },
  listParked: { scopes: ["read", "operate"], bound: "within" },
  retryParked: { scopes: ["operate"], bound: "within" },
  retryParkedKey: { scopes: ["operate"], bound: "within" },
  skipParked: { scopes: ["operate"], bound: "within" },
  skipParkedKey: { scopes: ["operate"], bound: "within" },

  createKey: { scopes: ["admin"], bound: "free" },
  getKey: { scopes: ["admin"], bound: "free" },
  listKeys: { scopes: ["admin"], bound: "free" },
  revokeKey: { scopes: ["admin"], bound: "free" },
  rotateKey: { scopes: ["admin"], bound: "free" },

  completeRestore: { scopes: ["root"], bound: "free" },
  createTenant: { scopes: ["root"], bound: "free" },
  listTenants: { scopes: ["root"], bound: "free" },
} as const satisfies Record<string, Right>;

export type OperationId = keyof typeof RIGHTS;

export const rightOf = (id: OperationId): Right => RIGHTS[id];

/** The right in a sentence, for the OpenAPI document. */
export function tellRight({ scopes, bound }: Right): string {
  const [first] = scopes;
  if (first === "public") return "Needs no API key.";
  if (first === "root") return "Takes the admin key of the installation.";
  const taken =
    first === "any"
      ? "Takes any API key"
      : `Takes an API key with the scope ${scopes.map((scope) => `\`${scope}\``).join(" or ")}`;
  return `${taken}${bound === "refused" ? ", bound to neither subscriptions nor a key prefix" : ""}.`;
}
