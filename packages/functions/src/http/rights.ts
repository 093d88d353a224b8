import type { KeyScope, PortalScope } from "@eventledger/protocol";

/**
 * Who may use an operation. `public` is any client, `any` the holder of any key, and `root` the
 * holder of the admin key. Any other value is a scope that the key must have.
 */
export type Scope = "public" | "any" | "root" | KeyScope;

/** The rights that an operation needs from an API key. */
export type Right = {
  /** Any one of these scopes is enough. The first is the usual scope for this operation. */
  readonly scopes: readonly [Scope, ...Scope[]];
  /**
   * How the operation treats a key that is bound to subscriptions or to a key prefix. `free`: the
   * bound has no effect, because the operation concerns neither events nor subscriptions. `within`:
   * the request may name only what the key covers, and the answer contains nothing else. `refused`:
   * the operation reaches beyond any bound, so the key may not use it.
   */
  readonly bound: "free" | "within" | "refused";
  /**
   * The operation itself checks whether the caller may see a subscription, because the subscription
   * may already be deleted.
   */
  readonly reachesAlone?: true;
  /**
   * What the operation needs on the audit stream. `audit`: the scope of that name. `same`: its
   * usual scopes. Absent: no key may use it there.
   */
  readonly ofAudit?: "audit" | "same";
  /**
   * What a portal token needs for the operation: one of its scopes, or with `any` none. Absent: no
   * portal token may use it.
   */
  readonly portal?: PortalScope | "any";
  /** The answer contains events. The key is checked again before a late answer is sent. */
  readonly delivers?: true;
};

/**
 * The rights that each operation needs. The routes enforce this table. The OpenAPI document and
 * docs/access.md are generated from it. An operation that is missing here does not compile.
 */
export const RIGHTS = {
  health: { scopes: ["public"], bound: "free" },
  getOpenApi: { scopes: ["public"], bound: "free" },
  getDocs: { scopes: ["public"], bound: "free" },
  getProblems: { scopes: ["public"], bound: "free" },
  getDocsAsset: { scopes: ["public"], bound: "free" },
  getConsole: { scopes: ["public"], bound: "free" },
  getPortal: { scopes: ["public"], bound: "free" },
  getConsoleFile: { scopes: ["public"], bound: "free" },
  whoami: { scopes: ["any"], bound: "free", portal: "any" },

  createStream: { scopes: ["admin"], bound: "refused" },
  listStreams: { scopes: ["read"], bound: "free" },
  getStream: { scopes: ["read"], bound: "within", ofAudit: "audit" },
  patchStream: { scopes: ["admin"], bound: "refused" },
  deleteStream: { scopes: ["admin"], bound: "refused" },
  getSchemas: { scopes: ["read", "publish"], bound: "refused" },
  putSchemas: { scopes: ["admin"], bound: "refused" },
  checkSchemas: { scopes: ["read", "admin"], bound: "refused" },
  compactStream: { scopes: ["admin"], bound: "refused", ofAudit: "same" },
  repairNumbering: { scopes: ["admin"], bound: "refused", ofAudit: "same" },
  archiveStream: { scopes: ["admin"], bound: "refused", ofAudit: "same" },
  listArchive: { scopes: ["read"], bound: "refused", ofAudit: "audit" },
  verifyArchive: { scopes: ["read", "admin"], bound: "refused", ofAudit: "audit" },

  createExport: { scopes: ["read"], bound: "refused", delivers: true },
  listExports: { scopes: ["read"], bound: "refused" },
  getExport: { scopes: ["read"], bound: "refused", delivers: true },
  deleteExport: { scopes: ["read", "admin"], bound: "refused" },

  createErasure: { scopes: ["admin"], bound: "refused" },
  listErasures: { scopes: ["read", "admin"], bound: "refused" },
  getErasure: { scopes: ["read", "admin"], bound: "refused" },
  verifyErasure: { scopes: ["read", "admin"], bound: "refused" },

  publishEvents: { scopes: ["publish"], bound: "within" },
  browseEvents: {
    scopes: ["read"],
    bound: "within",
    portal: "read",
    ofAudit: "audit",
    delivers: true,
  },
  listCompacted: { scopes: ["read"], bound: "within", portal: "read", delivers: true },
  getCompacted: { scopes: ["read"], bound: "within", portal: "read", delivers: true },

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

  putPush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  getPush: { scopes: ["read", "operate"], bound: "within", portal: "endpoints" },
  deletePush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  enablePush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  disablePush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  testPush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  rotatePush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  listPushDeliveries: { scopes: ["read", "operate"], bound: "within", portal: "endpoints" },
  replayPush: { scopes: ["operate"], bound: "within", portal: "endpoints" },
  resendPush: { scopes: ["operate"], bound: "within", portal: "endpoints" },

  createPortalToken: { scopes: ["operate"], bound: "within" },

  createKey: { scopes: ["admin"], bound: "free" },
  getKey: { scopes: ["admin"], bound: "free" },
  listKeys: { scopes: ["admin"], bound: "free" },
  revokeKey: { scopes: ["admin"], bound: "free" },
  rotateKey: { scopes: ["admin"], bound: "free" },
  getKeyQuota: { scopes: ["admin"], bound: "free" },
  setKeyQuota: { scopes: ["admin"], bound: "free" },
  getUsage: { scopes: ["admin"], bound: "refused" },

  completeRestore: { scopes: ["root"], bound: "free" },
  createTenant: { scopes: ["root"], bound: "free" },
  listTenants: { scopes: ["root"], bound: "free" },
  getTenantQuota: { scopes: ["root"], bound: "free" },
  setTenantQuota: { scopes: ["root"], bound: "free" },
} as const satisfies Record<string, Right>;

export type OperationId = keyof typeof RIGHTS;

export const rightOf = (id: OperationId): Right => RIGHTS[id];

/** Describes a right in a sentence for the OpenAPI document. */
export function rightInWords({ scopes, bound, portal }: Right): string {
  const [first] = scopes;
  if (first === "public") return "Needs no API key.";
  if (first === "root") return "Needs the admin key of the installation.";
  const taken =
    first === "any"
      ? "Needs any API key"
      : `Needs an API key with the scope ${scopes.map((scope) => `\`${scope}\``).join(" or ")}`;
  const unbound = bound === "refused" ? ", bound to neither subscriptions nor a key prefix" : "";
  return `${taken}${unbound}${portalInWords(portal)}.`;
}

function portalInWords(portal: Right["portal"]): string {
  if (portal === undefined) return "";
  return portal === "any" ? ", or any portal token" : `, or a portal token with \`${portal}\``;
}
