import { createHash } from "node:crypto";

/** The output of the follower: one JSON line for each event that it has processed. */
export type Followed = {
  readonly sequence: number;
  readonly key: string;
  readonly type: string;
  /** The SHA-256 of the data as compact JSON. */
  readonly digest: string;
};

export const digest = (data: unknown): string =>
  createHash("sha256").update(JSON.stringify(data)).digest("hex");
