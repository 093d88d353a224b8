import type { Filter, InvalidField, KeyScope, PortalScope } from "@eventledger/protocol";
import { defaultTenant, parseLifeText, type Tenant } from "../model/names.ts";
import type { NameRange } from "../table/directory.entity.ts";

/** A caller's rights. Each scope applies to every covered stream. */
export type Permissions = {
  readonly scopes: readonly KeyScope[];
  /**
   * Names, name prefixes followed by `*`, or `*` alone. No other form is allowed, so no pattern can
   * be slow.
   */
  readonly streams: readonly string[];
  /** The same forms for subscriptions of those streams. Absent: all of them. */
  readonly subscriptions?: readonly string[] | undefined;
  /** Only events whose keys begin with this prefix. Absent: all of them. */
  readonly keyPrefix?: string | undefined;
};

/** The rights of a portal token. Its bounds are those of its caller, which has no other scopes. */
export type PortalRights = {
  /** Names the token in the audit stream. */
  readonly id: string;
  readonly scopes: readonly PortalScope[];
  /** The uid of each covered stream, by its name. */
  readonly lives: ReadonlyMap<string, string>;
};

/** The caller, as its API key or portal token identifies it. */
export type Caller = Permissions & {
  readonly tenant: Tenant;
  /** An API key's id, or `root`. For a portal token, the key that made it. */
  readonly keyId: string;
  /** When the API key expires, in milliseconds since 1970. A key that it makes expires no later. */
  readonly validUntil: number;
  /** True when the API key has a quota. */
  readonly isLimited?: boolean;
  /** Absent for an API key. */
  readonly portal?: PortalRights | undefined;
};

const EVERYTHING: Permissions = {
  scopes: ["read", "consume", "operate", "publish", "admin", "audit"],
  streams: ["*"],
};

/**
 * The bearer of the admin key. It has all rights in the default tenant, and only it can create
 * tenants.
 */
export const rootCaller: Caller = {
  ...EVERYTHING,
  tenant: defaultTenant,
  keyId: "root",
  validUntil: Number.POSITIVE_INFINITY,
};

/** The rights of a tenant's first key. */
export const everything = EVERYTHING;

export const isRoot = (caller: Caller): boolean => caller === rootCaller;

/**
 * Returns whether the caller's key covers a stream. For the caller, any other stream does not
 * exist.
 */
export const coversStream = ({ streams }: Permissions, name: string): boolean =>
  streams.some((glob) => coversGlob(glob, name));

/**
 * Returns whether the caller covers this life of a covered stream. A portal token names a life, so
 * that it ends with the stream that it was made for.
 */
export const coversLife = ({ portal }: Caller, stream: string, life: string): boolean =>
  portal === undefined || portal.lives.get(stream) === parseLifeText(life).uid;

const EVERY_NAME: readonly string[] = ["*"];

/** Returns whether the bounds cover a subscription of that name in a covered stream. */
export const coversSubscription = ({ subscriptions = EVERY_NAME }: Bounds, name: string): boolean =>
  subscriptions.some((glob) => coversGlob(glob, name));

/** Returns whether the bounds cover an event key, or every key that begins with a prefix. */
export const coversKey = ({ keyPrefix = "" }: Bounds, keyOrPrefix: string): boolean =>
  keyOrPrefix.startsWith(keyPrefix);

/** The bounds of a caller within the covered streams. An absent bound covers everything. */
export type Bounds = Pick<Permissions, "subscriptions" | "keyPrefix">;

/** Returns whether a subscription is covered: its name is, and it delivers only covered events. */
export const coversDelivery = (
  bounds: Bounds,
  {
    name,
    config,
  }: { readonly name: string; readonly config: { readonly filter?: Filter | undefined } },
): boolean => coversSubscription(bounds, name) && coversKey(bounds, config.filter?.keyPrefix ?? "");

/** Returns whether the bounds exclude anything in the covered streams. */
export const isBound = ({ subscriptions = EVERY_NAME, keyPrefix }: Bounds): boolean =>
  !subscriptions.includes("*") || keyPrefix !== undefined;

/**
 * Returns whether `held` includes every right of `asked`. A key can neither grant nor manage more
 * rights than it has.
 */
export const coversPermissions = (held: Permissions, asked: Permissions): boolean =>
  excessOf(held, asked).length === 0;

/** Returns each right of `asked` that `held` lacks, as a field of a request for a key. */
export function excessOf(held: Permissions, asked: Permissions): InvalidField[] {
  const { scopes, streams, subscriptions, keyPrefix = "" } = asked;
  const bound = "is required: your own API key is bound to subscriptions";
  return [
    ...scopes.flatMap((scope, at) =>
      held.scopes.includes(scope)
        ? []
        : [field(`/scopes/${at}`, "is not a scope of your own API key")],
    ),
    ...streams.flatMap((glob, at) =>
      coversStream(held, glob) ? [] : [field(`/streams/${at}`, NOT_COVERED)],
    ),
    ...(subscriptions ?? EVERY_NAME).flatMap((glob, at) => {
      if (coversSubscription(held, glob)) return [];
      const isNamed = subscriptions !== undefined;
      return [
        isNamed ? field(`/subscriptions/${at}`, NOT_COVERED) : field("/subscriptions", bound),
      ];
    }),
    ...(coversKey(held, keyPrefix)
      ? []
      : [
          field(
            "/keyPrefix",
            `must begin with ${JSON.stringify(held.keyPrefix)}, as your own does`,
          ),
        ]),
  ];
}

const NOT_COVERED = "is not covered by your own API key";
const field = (pointer: string, detail: string): InvalidField => ({ pointer, detail });

/** Returns the name ranges that globs cover, in the order of names and without overlap. */
export function nameRangesOf(globs: readonly string[]): NameRange[] {
  const widest = globs.filter(
    (glob, at) =>
      !globs.some(
        (other, of) => of !== at && coversGlob(other, glob) && (other !== glob || of < at),
      ),
  );
  return widest
    .map((glob) => ({ prefix: glob.replace("*", ""), exact: !glob.endsWith("*") }))
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

/** Whether a glob covers a name, or everything that a second glob covers. */
const coversGlob = (glob: string, nameOrGlob: string): boolean =>
  glob.endsWith("*") ? nameOrGlob.startsWith(glob.slice(0, -1)) : nameOrGlob === glob;
