import { signal } from "@preact/signals";

/**
 * The content of the address: the view, and what it shows. All of it comes after the `#`, which a
 * browser does not send, so neither keys nor filters reach a server's log.
 */
export type Place = {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
};

export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Parses `#/streams/orders/events?type=order.paid`. A part that cannot be decoded stays unchanged.
 */
export function readPlace(hash: string): Place {
  const [path = "", ...rest] = hash.replace(/^#?\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(rest.join("?"))),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns the address of a view, for a link. Undefined and empty members are left out. */
export function href(path: readonly string[], query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === ""
      ? []
      : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `#/${path.map(encodeURIComponent).join("/")}${search}`;
}

export const place = signal<Place>({ path: [], query: {} });

/**
 * Follows the address, and updates the place. Calls `onKey` with a key that the address carries.
 */
export function followAddress(onKey: (key: string) => void): void {
  const read = () => {
    const key = /^#key=([^&]+)/.exec(location.hash)?.[1];
    if (key !== undefined) {
      // The key must not stay in the address or in the history.
      history.replaceState(null, "", `${location.pathname}#/`);
      onKey(decode(key));
    }
    place.value = readPlace(location.hash);
  };
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
}

/** Opens another view, as a link does. */
export function go(path: readonly string[], query: Query = {}): void {
  location.hash = href(path, query);
}

/**
 * Changes the content of the present view. The browser's back button restores the previous content.
 */
export function show(changes: Query, { replace = false } = {}): void {
  const { path, query } = place.value;
  const address = href(path, { ...query, ...changes });
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  place.value = readPlace(address);
}
