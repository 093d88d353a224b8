import type { StreamRow } from "../table/stream.entity.ts";

/**
 * The life of a stream as clients know it: another text for each life of the name, and after each
 * restore of the table, because copies that clients keep may hold events that the restored log lost.
 */
export const lifeText = ({ uid, restored }: Pick<StreamRow, "uid" | "restored">): string =>
  restored === undefined ? uid : `${uid}.${restored.at.toString(36)}`;
