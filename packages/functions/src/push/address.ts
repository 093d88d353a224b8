import { lookup as resolve } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { invalidRequest } from "@eventledger/core";
import ipaddr from "ipaddr.js";

/** What a server may send to. On a developer's machine, that is everything. */
export type Reach = "public" | "everything";

/** The only part of version 6 that is assigned for unicast. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Returns whether an address belongs to a machine on the public Internet. Everything else is
 * refused: loopback, private and link-local networks, multicast, documentation, and addresses of
 * version 6 that contain one of version 4.
 */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
}

/** Throws `invalid-request` for an URL that no delivery may be sent to. */
export function assertUrl(text: string, reach: Reach): void {
  const wrong = wrongUrl(text, reach);
  if (wrong !== undefined) throw invalidRequest("/url", wrong);
}

/** Returns what is wrong with an URL. Its name is resolved only when a delivery is sent. */
export function wrongUrl(text: string, reach: Reach): string | undefined {
  if (!URL.canParse(text)) return "must be an http or https URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "must not contain a user name or password";
  if (reach === "everything") return undefined;
  if (url.protocol !== "https:") return "must begin with https://";
  if (url.port !== "") return "must not name a port, because only 443 is used";
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isPublic(host)) return "must name a public address";
  return undefined;
}

/** Returns the host of an URL, without the brackets of an address of version 6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

/** Says that a name leads to an address that is not public. */
export class PrivateAddress extends Error {
  constructor() {
    super("The host name leads to an address that is not public.");
  }
}

/**
 * Resolves a name once, and lets the connection use only addresses that were checked. Fails when
 * any of them is not public.
 */
export const publicLookup =
  (resolveAll: typeof resolve = resolve): LookupFunction =>
  (name, options, done) => {
    resolveAll(name, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "");
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublic(address))) {
        return done(new PrivateAddress(), "");
      }
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
  };
