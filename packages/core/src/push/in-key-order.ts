import type { StoredEvent } from "../model/event.ts";

/** The result of an event: it is done, its key must wait, or everything must wait. */
export type Sent = "done" | "key-waits" | "held";

/**
 * Sends the events of a page, `concurrency` keys at the same time, and never two events of one key.
 * After an event that is not done, the later ones of its key are not sent. Returns false when any
 * event is held.
 */
export async function inKeyOrder(
  events: readonly StoredEvent[],
  concurrency: number,
  send: (event: StoredEvent) => Promise<Sent>,
): Promise<boolean> {
  const keys = [...Map.groupBy(events, ({ key }) => key).values()];
  let next = 0;
  let complete = true;
  const work = async () => {
    for (let mine = keys[next++]; mine !== undefined; mine = keys[next++]) {
      for (const event of mine) {
        const sent = await send(event);
        if (sent === "held") complete = false;
        if (sent !== "done") break;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, keys.length) }, work));
  return complete;
}
