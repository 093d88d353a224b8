import type { KeyScope } from "@eventledger/protocol";
import { defaultTenant, type Tenant } from "../kernel/names.ts";
import type { NameRange } from "../table/stream.entity.ts";

/** What somebody may do, and with which streams: each scope holds for every stream that is covered. */
export type Permissions = {
  readonly scopes: readonly KeyScope[];
  /** Names, beginnings of names followed by `*`, or `*`. Nothing else: no pattern can be slow. */
  readonly streams: readonly string[];
};

/** Who calls, as far as the API key tells. */
export type Caller = Permissions & {
  readonly tenant: Tenant;
  /** An API key's id, or `root`. */
  readonly keyId: string;
  /** When the API key ends, in milliseconds since 1970: nothing that it hands out lives longer. */
  readonly validUntil: number;
};

const EVERYTHING: Permissions = { scopes: ["admin", "publish", "consume"], streams: ["*"] };

/** The bearer of the admin key: everything in the default tenant, and the only one to make tenants. */
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

/** Whether `held` has everything that `asked` has: nobody can hand out or take over more. */
export const coversPermissions = (held: Permissions, asked: Permissions): boolean =>
  asked.scopes.every((scope) => held.scopes.includes(scope)) &&
  asked.streams.every((glob) => coversStream(held, glob));

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
