import type { Call } from "../http/call.ts";

export type Signalled = { readonly signal?: AbortSignal | undefined };
export type Listing = Signalled & {
  /** Adds the statistics of each entry. They cost the server a few reads for each partition. */
  readonly stats?: boolean | undefined;
  /** The maximum number of entries that one request asks for. */
  readonly pageItems?: number | undefined;
  readonly query?: Call["query"];
};
export type Send = <T>(
  method: Call["method"],
  path: string,
  more?: Omit<Call, "method" | "path">,
) => Promise<T>;

/** All entries of a list, page by page. */
export async function* each<T>(
  send: Send,
  path: string,
  member: string,
  { stats = false, pageItems, query: more, signal }: Listing = {},
): AsyncGenerator<T, void, void> {
  for (let cursor: string | undefined; ; ) {
    const query = { ...more, cursor, include: stats ? "stats" : undefined, limit: pageItems };
    const page: Record<string, T[]> & { cursor: string | null } = await send("GET", path, {
      query,
      signal,
    });
    yield* page[member] ?? [];
    if (page.cursor === null) return;
    cursor = page.cursor;
  }
}
