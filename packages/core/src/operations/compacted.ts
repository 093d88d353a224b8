import type { CompactedQuery } from "@eventledger/protocol";
import { invalidCursor } from "../cursor/cursor.ts";
import { assertListsEnough, assertSameList, sinceWithinSnapshot } from "../cursor/listed.ts";
import type { StoredEvent } from "../model/event.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import type { Position } from "../model/position.ts";
import { listCompacted, loadCompacted } from "../snapshot/compacted-list.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { isInSnapshot } from "../subscription/position/progress.ts";
import type { Parts } from "./parts.ts";

/** A page of the current state of keys. `cursor` is null at its end. */
export type CompactedPage = {
  readonly items: readonly StoredEvent[];
  readonly cursor: string | null;
  readonly follow: string;
  /** The cursors of the parts into which a page divides what follows it. */
  readonly parts?: readonly string[];
  readonly life: string;
};

/** Reads the current state of keys. */
export function compactedOperations(parts: Parts) {
  const { streams, places, cursors, snapshots } = parts;
  /** Returns the positions of the cursor of a difference. It must not belong to a subscription. */
  async function sinceOf(
    stream: LiveStream,
    text: string,
    prefix: string | undefined,
  ): Promise<readonly Position[]> {
    const cursor = await places.ofCursor(stream, text);
    if (isInSnapshot(cursor.bootstrap)) throw sinceWithinSnapshot();
    assertListsEnough(cursor, prefix);
    return snapshots.positionsSince(stream, cursor);
  }

  return {
    /**
     * Returns the current state of keys, page by page. With `since` only of those that changed
     * since a cursor, and deletions. With `parts` it divides what follows the page, so that several
     * readers can read it at the same time.
     */
    async listCompacted(
      tenant: Tenant,
      name: string,
      { limit, prefix, cursor, since, parts: count }: CompactedQuery,
    ): Promise<CompactedPage> {
      return streams.useNow(tenant, name, async (stream) => {
        const from = cursor === undefined ? undefined : await places.ofCursor(stream, cursor);
        const bootstrap = from?.bootstrap;
        if (cursor !== undefined && !isInSnapshot(bootstrap)) throw invalidCursor("other-query");
        if (from !== undefined) assertSameList(from, prefix);
        const begun = since === undefined ? undefined : await sinceOf(stream, since, prefix);
        const asked = { limit, prefix, since: begun, from: bootstrap, parts: count };
        const page = await listCompacted(parts, stream, asked);
        const rest = page.cursors.map(cursors.format);
        return {
          items: page.items,
          ...(count === undefined ? { cursor: rest[0] ?? null } : { cursor: null, parts: rest }),
          follow: cursors.format(page.follow),
          life: lifeText(stream),
        };
      });
    },

    /**
     * Returns the current state of one key, and a tag that changes with it. Throws `key-not-found`.
     */
    async getCompacted(
      tenant: Tenant,
      name: string,
      key: string,
    ): Promise<{ event: StoredEvent; tag: string; life: string }> {
      return streams.useNow(tenant, name, async (stream) => {
        const event = await loadCompacted(parts, stream, key);
        const life = lifeText(stream);
        return { event, tag: `${life}-${event.sequence}`, life };
      });
    },
  };
}
