import type { Restored } from "./restored.ts";

/**
 * The life of a stream as clients and cursors know it: another text for each life of the name, and
 * after each restore of the table, because copies that clients keep may hold events that the
 * restored log lost.
 */
export const lifeText = ({
  uid,
  restored,
}: {
  readonly uid: string;
  readonly restored?: Restored | undefined;
}): string => (restored === undefined ? uid : `${uid}.${restored.at.toString(36)}`);

/** What a life's text says; `restoredAt` is 0 where the table was never restored. */
export function parseLifeText(text: string): { uid: string; restoredAt: number } {
  const [uid = "", at] = text.split(".");
  return { uid, restoredAt: at === undefined ? 0 : Number.parseInt(at, 36) };
}
