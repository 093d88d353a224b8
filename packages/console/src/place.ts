import { signal } from "@preact/signals";

/**
 * What the address names: the view, and what it shows. All of it comes after the `#`, which a
 * browser does not send, so neither keys nor filters are in a server's log.
 */
export type Place = {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
};

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Reads `#/streams/orders/events?type=order.paid`. A part that cannot be decoded stays so. */
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

/** The address of a view, for a link. Undefined and empty members are left out. */
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

/** Follows the address. Returns what the address holds now. */
export function followAddress(onKey: (key: string) => void): void {
  const read = () => {
    const key = /^#key=([^&]+)/.exec(location.hash)?.[1];
    if (key !== undefined) {
      // The key must stay neither in the address nor in the history.
      history.replaceState(null, "", `${location.pathname}#/`);
      onKey(decode(key));
    }
    place.value = readPlace(location.hash);
  };
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  read();
}

/** Goes to another view, as a link does. */
export function go(path: readonly string[], query: Query = {}): void {
  location.hash = href(path, query);
}

/** Changes what the present view shows. Back returns to what it showed before. */
export function show(changes: Query, { replace = false } = {}): void {
  const { path, query } = place.value;
  const address = href(path, { ...query, ...changes });
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  place.value = readPlace(address);
}
