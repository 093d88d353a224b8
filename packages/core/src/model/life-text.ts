import type { Restored } from "./restored.ts";

/**
 * Returns the life of a stream as clients and cursors know it. The text changes with each life of
 * the name, and with each restore of the table, because copies that clients keep may contain events
 * that the restored log lost.
 */
export const lifeText = ({
  uid,
  restored,
}: {
  readonly uid: string;
  readonly restored?: Restored | undefined;
}): string => (restored === undefined ? uid : `${uid}.${restored.at.toString(36)}`);

/** Parses a life's text. `restoredAt` is 0 if the table was never restored. */
export function parseLifeText(text: string): { uid: string; restoredAt: number } {
  const [uid = "", at] = text.split(".");
  return { uid, restoredAt: at === undefined ? 0 : Number.parseInt(at, 36) };
}
