import type { Receipt } from "../../../packages/sdk/src/index.ts";
import type { Plan } from "./plan.ts";

/** The task of a process of the run. */
export type Task = {
  readonly url: string;
  readonly apiKey: string;
  readonly plan: Plan;
  /** A file for the publisher or for SQLite, or the address of PostgreSQL. */
  readonly place: string;
};

export type StoreKind = "memory" | "SQLite" | "PostgreSQL";

/** A message from a process. */
export type Message =
  | { readonly kind: "progress"; readonly events: number }
  /** Everything is published. The receipt belongs to the last events. */
  | { readonly kind: "done"; readonly receipt: Receipt }
  /** The copy, as the answer to a request. */
  | {
      readonly kind: "copy";
      readonly rows: readonly (readonly [string, number])[];
      readonly round: number;
    };

export const send = (message: Message): void => void process.send?.(message);
