/** A request as its client puts it on the wire, before any door has seen it. */
export type WireRequest = {
  readonly method: string;
  /** The path and the query, as they are in the request line. */
  readonly target: string;
  /** In their order, with repetitions; a character of a value is a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer | undefined;
  /** The body comes in chunks, without its length. */
  readonly chunked: boolean;
};

export const splitTarget = (target: string): { path: string; query: string } => {
  const at = target.indexOf("?");
  return at === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
};

/** Each header once, its values joined by commas: what a gateway makes of a repeated header. */
export function joinedHeaders({ headers }: WireRequest): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const known = joined.get(name.toLowerCase());
    joined.set(name.toLowerCase(), known === undefined ? value : `${known},${value}`);
  }
  return Object.fromEntries(joined);
}
