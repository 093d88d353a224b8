import { AUDIT_STREAM } from "@eventledger/protocol";
import type { Restored } from "./restored.ts";

/**
 * A stream name together with its tenant: `orders` for the default tenant, `acme/orders` for the
 * tenant `acme`. Row keys accept no other type, so a name without its tenant does not compile.
 */
export type ScopedName = string & { readonly __brand: "ScopedName" };

/**
 * One life of a stream: `orders#<uid>`. A name that is deleted and created again gets a new one.
 */
export type Life = string & { readonly __brand: "Life" };

/** The owner of streams. Its characters are those of names, so it cannot contain a separator. */
export type Tenant = string & { readonly __brand: "Tenant" };

export const defaultTenant = "default" as Tenant;

const TENANT = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/**
 * The only conversion of a text to a tenant. Throws a RangeError for text that could be misread as
 * a longer name.
 */
export function tenantOf(name: string): Tenant {
  if (!TENANT.test(name)) throw new RangeError("Not the name of a tenant");
  return name as Tenant;
}

export const scopeName = (tenant: Tenant, name: string): ScopedName =>
  (tenant === defaultTenant ? name : `${tenant}/${name}`) as ScopedName;

/** Returns the owner of a stream. */
export const ownerOf = (name: ScopedName): Tenant =>
  name.includes("/") ? tenantOf(name.slice(0, name.indexOf("/"))) : defaultTenant;

/** Returns the name without its tenant. */
export const bareName = (name: ScopedName): string => name.slice(name.indexOf("/") + 1);

/** Returns whether a name, or a life of a name, is that of an audit stream. */
export const isAuditStream = (name: ScopedName | Life): boolean =>
  bareName(name as ScopedName).split("#", 1)[0] === AUDIT_STREAM;

export const lifeOf = (name: ScopedName, uid: string): Life => `${name}#${uid}` as Life;

/** The common prefix of all lives of a name. No life of a different name begins with it. */
export const livesOf = (name: ScopedName): Life => lifeOf(name, "");

/** The beginning of the names of all objects of a life, and of no other object. */
export function objectsOf(name: ScopedName, uid: string): string {
  const tenant = name.includes("/") ? "" : `${defaultTenant}/`;
  return `${tenant}${name}/${uid}/`;
}

/**
 * Returns the life of a stream as clients and cursors know it. The text changes with each life of
 * the name, and with each restore of the table, because copies that clients keep may contain events
 * that the restored log lost.
 */
export const lifeText = ({
  uid,
  restored,
}: {
  readonly uid: string;
  readonly restored?: Restored | undefined;
}): string => (restored === undefined ? uid : `${uid}.${restored.at.toString(36)}`);

/** Parses a life's text. `restoredAt` is 0 if the table was never restored. */
export function parseLifeText(text: string): { uid: string; restoredAt: number } {
  const [uid = "", at] = text.split(".");
  return { uid, restoredAt: at === undefined ? 0 : Number.parseInt(at, 36) };
}
