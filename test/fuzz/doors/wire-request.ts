/** A request as its client sends it, before any entry point changes it. */
export type WireRequest = {
  readonly method: string;
  /** The path and the query, as in the request line. */
  readonly target: string;
  /** The headers in their order, with repetitions. Each character of a value is a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer | undefined;
  /** True if the body is sent in chunks, without its length. */
  readonly chunked: boolean;
};

export const splitTarget = (target: string): { path: string; query: string } => {
  const at = target.indexOf("?");
  return at === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
};

/** Returns each header once, with its values joined by commas, as a gateway does. */
export function joinedHeaders({ headers }: WireRequest): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of headers) {
    const known = joined.get(name.toLowerCase());
    joined.set(name.toLowerCase(), known === undefined ? value : `${known},${value}`);
  }
  return Object.fromEntries(joined);
}
