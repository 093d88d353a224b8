import type { Filter, KeyScope } from "@eventledger/protocol";
import { defaultTenant, type Tenant } from "../model/names.ts";
import type { NameRange } from "../table/stream.entity.ts";

/**
 * What a caller may do, and with which streams: each scope holds for every stream that is covered.
 */
export type Permissions = {
  readonly scopes: readonly KeyScope[];
  /** Names, beginnings of names followed by `*`, or `*`. Nothing else: no pattern can be slow. */
  readonly streams: readonly string[];
  /** The same for subscriptions of those streams. Absent: all of them. */
  readonly subscriptions?: readonly string[] | undefined;
  /** Only events whose keys begin with this. Absent: all of them. */
  readonly keyPrefix?: string | undefined;
};

/** Who calls, as far as the API key tells. */
export type Caller = Permissions & {
  readonly tenant: Tenant;
  /** An API key's id, or `root`. */
  readonly keyId: string;
  /** When the API key ends, in milliseconds since 1970: nothing that it hands out lives longer. */
  readonly validUntil: number;
};

const EVERYTHING: Permissions = {
  scopes: ["read", "consume", "operate", "publish", "admin"],
  streams: ["*"],
};

/**
 * The bearer of the admin key: everything in the default tenant, and the only one to make tenants.
 */
export const rootCaller: Caller = {
  ...EVERYTHING,
  tenant: defaultTenant,
  keyId: "root",
  validUntil: Number.POSITIVE_INFINITY,
};

/** What a tenant's first key may do. */
export const everything = EVERYTHING;

export const isRoot = (caller: Caller): boolean => caller === rootCaller;

/** Whether a stream is any of the caller's business. What is not does not exist for the caller. */
export const coversStream = ({ streams }: Permissions, name: string): boolean =>
  streams.some((glob) => coversGlob(glob, name));

const EVERY_NAME: readonly string[] = ["*"];

/** Whether a subscription of that name, in a stream that is covered, is. */
export const coversSubscription = ({ subscriptions = EVERY_NAME }: Bounds, name: string): boolean =>
  subscriptions.some((glob) => coversGlob(glob, name));

/** Whether a key, or every key that begins with it, is covered. */
export const coversKey = ({ keyPrefix = "" }: Bounds, keyOrPrefix: string): boolean =>
  keyOrPrefix.startsWith(keyPrefix);

/** The bounds of a caller within the streams that it covers; absent ones bound nothing. */
export type Bounds = Pick<Permissions, "subscriptions" | "keyPrefix">;

/** Whether a subscription is covered by its name, and brings no event that is not. */
export const coversDelivery = (
  bounds: Bounds,
  {
    name,
    config,
  }: { readonly name: string; readonly config: { readonly filter?: Filter | undefined } },
): boolean => coversSubscription(bounds, name) && coversKey(bounds, config.filter?.keyPrefix ?? "");

/** Whether the bounds exclude anything in the covered streams. */
export const isBound = ({ subscriptions = EVERY_NAME, keyPrefix }: Bounds): boolean =>
  !subscriptions.includes("*") || keyPrefix !== undefined;

/**
 * Whether `held` has everything that `asked` has: a key can neither hand out nor take over more.
 */
export const coversPermissions = (held: Permissions, asked: Permissions): boolean =>
  asked.scopes.every((scope) => held.scopes.includes(scope)) &&
  asked.streams.every((glob) => coversStream(held, glob)) &&
  (asked.subscriptions ?? EVERY_NAME).every((glob) => coversSubscription(held, glob)) &&
  coversKey(held, asked.keyPrefix ?? "");

/** The beginnings of the names that globs cover, in the order of names and without overlap. */
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

/** Whether a glob covers a name, or everything that another glob covers. */
const coversGlob = (glob: string, nameOrGlob: string): boolean =>
  glob.endsWith("*") ? nameOrGlob.startsWith(glob.slice(0, -1)) : nameOrGlob === glob;
