import type { StoredEvent } from "../model/event.ts";

/** The result of an event: it is done, its key must wait, or everything must wait. */
export type Sent = "done" | "key-waits" | "held";

type Order = {
  readonly concurrency: number;
  /**
   * If given, one key is tried after another until an event is done, from this part of the keys on,
   * from 0 to 1.
   */
  readonly probeFrom?: number | undefined;
};

/**
 * Sends the events of a page, `concurrency` keys at the same time, and never two events of one key.
 * After an event that is not done, the later ones of its key are not sent. Returns false when any
 * event is held.
 */
export async function inKeyOrder(
  events: readonly StoredEvent[],
  { concurrency, probeFrom }: Order,
  send: (event: StoredEvent) => Promise<Sent>,
): Promise<boolean> {
  const all = [...Map.groupBy(events, ({ key }) => key).values()];
  const begin = Math.floor((probeFrom ?? 0) * all.length);
  const keys = [...all.slice(begin), ...all.slice(0, begin)];
  const most = Math.min(concurrency, keys.length);
  const working: Promise<void>[] = [];
  let next = 0;
  let complete = true;

  const startUpTo = (count: number): void => {
    while (working.length < count) working.push(work());
  };

  async function work(): Promise<void> {
    for (let mine = keys[next++]; mine !== undefined; mine = keys[next++]) {
      for (const event of mine) {
        const sent = await send(event);
        if (sent === "held") complete = false;
        if (sent !== "done") break;
        startUpTo(most);
      }
    }
  }

  startUpTo(probeFrom === undefined ? most : Math.min(1, most));
  // A probe that succeeds starts more of them.
  for (let at = 0; at < working.length; at++) await working[at];
  return complete;
}
