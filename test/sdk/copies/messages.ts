import type { Receipt } from "../../../packages/sdk/src/index.ts";
import type { Plan } from "./plan.ts";

/** What a process of the run is given. */
export type Task = {
  readonly url: string;
  readonly apiKey: string;
  readonly plan: Plan;
  /** A file of the publisher or of SQLite, or the address of PostgreSQL. */
  readonly place: string;
};

export type StoreKind = "memory" | "SQLite" | "PostgreSQL";

/** What a process reports. */
export type Message =
  | { readonly kind: "progress"; readonly events: number }
  /** Everything is published. The receipt is that of the last events. */
  | { readonly kind: "done"; readonly receipt: Receipt }
  /** The copy, in answer to a request for it. */
  | {
      readonly kind: "copy";
      readonly rows: readonly (readonly [string, number])[];
      readonly round: number;
    };

export const send = (message: Message): void => void process.send?.(message);
