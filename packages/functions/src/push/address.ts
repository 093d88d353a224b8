import { lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { invalidRequest } from "@eventledger/core";

/**
 * The addresses to which a server may send deliveries: public ones, or on a developer's machine
 * all.
 */
export type Reach = "public" | "everything";

/** The networks of version 4 that are not on the public Internet. */
const PRIVATE_V4 = networks("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10", // shared by the customers of a provider
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local: the metadata of a machine
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3", // multicast, reserved and broadcast
]);
/** The only part of version 6 that is assigned for unicast. */
const GLOBAL_V6 = networks("ipv6", ["2000::/3"]);
/** Parts of 2000::/3 that are not public, or that embed an IPv4 address. */
const PRIVATE_V6 = networks("ipv6", [
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
]);

function networks(family: "ipv4" | "ipv6", prefixes: readonly string[]): BlockList {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network = "", length] = prefix.split("/");
    list.addSubnet(network, Number(length), family);
  }
  return list;
}

/**
 * Returns whether an address belongs to a machine on the public Internet. Everything else is
 * refused: loopback, private and link-local networks, multicast, documentation, and IPv6 addresses
 * that contain an IPv4 address.
 */
export function isPublic(text: string): boolean {
  if (isIP(text) === 4) return !PRIVATE_V4.check(text, "ipv4");
  if (isIP(text) === 0 || text.includes("%")) return false;
  return GLOBAL_V6.check(text, "ipv6") && !PRIVATE_V6.check(text, "ipv6");
}

/** Throws `invalid-request` for a URL to which no delivery may be sent. */
export function assertUrl(text: string, reach: Reach): void {
  const wrong = wrongUrl(text, reach);
  if (wrong !== undefined) throw invalidRequest("/url", wrong);
}

/**
 * Returns why no delivery may be sent to a URL, or undefined. The host name is resolved only when a
 * delivery is sent.
 */
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

/** Returns the host of a URL, without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

/** The error for a name that resolves to an address that is not public. */
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
