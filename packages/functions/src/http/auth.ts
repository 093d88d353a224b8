import {
  type Caller,
  coversStream,
  coversSubscription,
  type Identity,
  isBound,
  isPortalToken,
  isRoot,
  LedgerError,
  type PortalRights,
  streamNotFound,
  subscriptionNotFound,
} from "@eventledger/core";
import { AUDIT_STREAM, type InvalidField, LIMITS, NAME } from "@eventledger/protocol";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv, AssertReaches } from "./env.ts";
import { createFailedKeys } from "./failed-keys.ts";
import type { Right, Scope } from "./rights.ts";

/** Finds the caller that a key belongs to. Returns undefined when there is none. */
export type Authenticate = (
  apiKey: string | undefined,
  from: RequestOrigin,
) => Promise<Identity | undefined>;

/** How a request reached this server. Programs other than browsers can claim anything here. */
export type RequestOrigin = {
  /** The host name by which the client addresses this server. */
  readonly host: string;
  /** The web site whose page sends the request, when a browser reports it. */
  readonly origin: string | undefined;
  /**
   * The relation of that web site to this one, when a browser reports it: `same-origin`,
   * `cross-site`, …
   */
  readonly site: string | undefined;
};

const DECLARED = Symbol("right");

/**
 * Lets a caller with the given right use a route, and declares that the route needs that right. For
 * a route with a caller, `assertRequest` then checks the request. `operationId` names the route in
 * the audit stream.
 */
export const requireRight = (
  right: Right,
  assertRequest: (c: Context<AppEnv>) => Promise<void> = async () => {},
  operationId = "unknown",
): MiddlewareHandler<AppEnv> =>
  Object.assign(
    async (c: Context<AppEnv>, next: () => Promise<void>) => {
      c.set("operationId", operationId);
      if (!isPublic(right)) {
        await authorize(c, right);
        await assertRequest(c);
      }
      await next();
    },
    { [DECLARED]: right },
  );

/** Returns the right that a handler declares, or undefined. */
export const declaredRight = (handler: object): Right | undefined =>
  DECLARED in handler ? (handler[DECLARED] as Right) : undefined;

type GateDeps = {
  readonly authenticate: Authenticate;
  readonly assertReaches: AssertReaches;
  /** Returns milliseconds on a clock that never goes back. The default is the machine's clock. */
  readonly monotonicMs?: (() => number) | undefined;
};

/**
 * Runs before all routes and identifies the caller. A route without a declared right refuses every
 * caller. Unknown paths also need a key, so that only the holder of a key learns that a path does
 * not exist.
 */
export function createGate(
  app: Hono<AppEnv>,
  { authenticate, assertReaches, monotonicMs = () => performance.now() }: GateDeps,
) {
  let guarded: ReadonlySet<string> | undefined;
  const isGuarded = (path: string): boolean => {
    guarded ??= new Set(
      app.routes
        .filter(({ handler }) => !isPublic(declaredRight(handler) ?? OPEN))
        .map((route) => firstSegment(route.path)),
    );
    return guarded.has(firstSegment(path));
  };

  const countFailed = createFailedKeys(monotonicMs);
  const gate: MiddlewareHandler<AppEnv> = async (c, next) => {
    const routes = matchedRoutes(c).filter(({ method }) => method !== "ALL");
    const rights = routes.flatMap(({ handler }) => declaredRight(handler) ?? []);
    const isOpen =
      routes.length === 0 ? !isGuarded(c.req.path) : rights.length > 0 && rights.every(isPublic);
    if (isOpen) return next();
    const { caller, noted } = await requireCaller(c, authenticate, countFailed);
    if (routes.length > 0 && rights.length === 0)
      throw forbidden("This operation declares no right, so it refuses every caller.");
    c.set("caller", caller);
    c.set("assertReaches", assertReaches);
    c.set("recheck", async () => (await requireCaller(c, authenticate)).noted);
    const beganMs = monotonicMs();
    await next();
    await noted;
    const tookMs = monotonicMs() - beganMs;
    const delivers = rights.some((right) => right.delivers);
    if (delivers && tookMs > RECHECK_AFTER_MS) await recheck(c, authenticate);
  };
  return gate;
}

/** A request that takes longer than this is authenticated again before its answer is sent. */
const RECHECK_AFTER_MS = 1_000;

/**
 * Refuses the answer when its key was revoked or expired during the request. A waiting poll can
 * take that long. What the request has already done stays done.
 */
async function recheck(c: Context, authenticate: Authenticate): Promise<void> {
  const answer = c.res;
  // A refusal must not inherit the headers of the answer.
  c.res = undefined;
  const { noted } = await requireCaller(c, authenticate);
  c.res = answer;
  await noted;
}

const OPEN: Right = { scopes: ["public"], bound: "free" };

const isPublic = ({ scopes }: Right): boolean => scopes.includes("public");

const firstSegment = (path: string): string => path.split("/", 2)[1] ?? "";

async function requireCaller(
  c: Context,
  authenticate: Authenticate,
  countFailed: () => void = () => {},
): Promise<Identity> {
  const apiKey = readApiKey(c);
  const charsMax = apiKey && isPortalToken(apiKey) ? LIMITS.portalTokenCharsMax : KEY_CHARS_MAX;
  const isLong = apiKey !== undefined && apiKey.length > charsMax;
  const from = {
    host: c.req.header("host") ?? "",
    origin: c.req.header("origin"),
    site: c.req.header("sec-fetch-site"),
  };
  const identity = isLong
    ? undefined
    : await authenticate(apiKey, from).catch((error: unknown) => {
        if (error instanceof LedgerError && error.code === "unauthorized") countFailed();
        throw error;
      });
  if (identity !== undefined) return identity;
  countFailed();
  throw new LedgerError("unauthorized", {
    detail:
      apiKey === undefined
        ? "Send the API key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`."
        : "The server does not know this API key.",
  });
}

const KEY_CHARS_MAX = 256;

function readApiKey(c: Context): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "");
  return bearer?.[1] ?? (c.req.header("x-api-key") || undefined);
}

/**
 * Decides whether a caller may perform an operation. A stream or a subscription that the key does
 * not cover is reported as not found. An operation on a covered one is forbidden when the key lacks
 * the scope. within.ts decides which events a request may name and an answer may contain.
 */
async function authorize(c: Context<AppEnv>, right: Right): Promise<void> {
  const { reachesAlone = false } = right;
  const { caller, assertReaches } = c.var;
  const { stream, subscription } = c.req.param() as Record<string, string | undefined>;
  if (stream !== undefined && !coversStream(caller, stream)) {
    c.set("denied", true);
    throw streamNotFound();
  }
  if (stream === AUDIT_STREAM) return authorizeForAudit(caller, right);
  if (caller.portal === undefined) assertMay(caller, right);
  else assertPortalMay(caller.portal, right);
  if (stream === undefined) return;
  // The route itself rejects invalid names and explains why.
  if (NAME.test(stream)) await assertReaches(caller, stream);
  if (subscription === undefined) return;
  if (!coversSubscription(caller, subscription)) {
    c.set("denied", true);
    throw subscriptionNotFound();
  }
  if (NAME.test(stream) && NAME.test(subscription) && !reachesAlone) {
    await assertReaches(caller, stream, subscription);
  }
}

function assertMay(caller: Caller, { scopes, bound }: Right): void {
  if (!scopes.some((scope) => holds(caller, scope))) throw forbidden(whatIsMissing(scopes));
  if (bound === "refused" && isBound(caller)) {
    throw forbidden(
      "This operation reaches beyond the subscriptions or the key prefix that the API key is bound to.",
    );
  }
}

/** Decides whether a portal token may be used for an operation. */
function assertPortalMay({ scopes }: PortalRights, { portal }: Right): void {
  if (portal === undefined) throw forbidden("No portal token can be used for this operation.");
  if (portal === "any" || scopes.includes(portal)) return;
  throw forbidden(`This request needs the scope ${portal}, which the portal token does not have.`);
}

/** Decides whether a caller may perform an operation on the audit stream of its tenant. */
function authorizeForAudit(caller: Caller, { scopes, ofAudit }: Right): void {
  if (ofAudit === undefined) {
    throw forbidden("The audit stream can be read, but neither changed nor subscribed to.");
  }
  const needed = ofAudit === "audit" ? (["audit"] as const) : scopes;
  if (!needed.some((scope) => holds(caller, scope))) throw forbidden(whatIsMissing(needed));
  if (isBound(caller)) {
    throw forbidden("The audit stream is for keys that are bound to nothing within their streams.");
  }
}

function holds(caller: Caller, scope: Scope): boolean {
  if (scope === "root") return isRoot(caller);
  return scope === "any" || caller.scopes.some((held) => held === scope);
}

const whatIsMissing = (scopes: Right["scopes"]): string =>
  scopes.includes("root")
    ? "This operation needs the admin key of this installation."
    : `This request needs the scope ${scopes.join(" or ")}, which the API key does not have.`;

/** Throws `forbidden` unless the caller may create a stream of that name. */
export function assertMayCreate(caller: Caller, stream: string): void {
  if (coversStream(caller, stream)) return;
  throw forbidden("The API key does not cover streams of that name.", [
    { pointer: "/name", detail: "is not covered by the API key" },
  ]);
}

export const forbidden = (detail: string, errors: readonly InvalidField[] = []): LedgerError =>
  new LedgerError("forbidden", { detail, errors });
