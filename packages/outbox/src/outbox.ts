import type { LedgerClient } from "./client.ts";
import { type RelayOptions, relay } from "./relay.ts";
import { type SnapshotOptions, type SnapshotReport, type State, snapshot } from "./snapshot.ts";
import type { OutboxStore } from "./store.ts";

/** The operations of an outbox other than adding events. */
export type Publishing = {
  /**
   * Publishes waiting events until the signal is aborted. Rejects with the signal's reason, or with
   * a problem that repeating does not solve.
   */
  relay(ledger: LedgerClient, options?: RelayOptions): Promise<void>;
  /**
   * Publishes one event for each row that existed before the outbox did. `rows` reads the rows. It
   * is called once no relay of the stream publishes. The snapshot can be repeated after a failure.
   */
  snapshot(
    ledger: LedgerClient,
    what: {
      readonly stream: string;
      readonly rows: () => Iterable<State> | AsyncIterable<State>;
    },
    options?: SnapshotOptions,
  ): Promise<SnapshotReport>;
};

export const publishing = (store: OutboxStore): Publishing => ({
  relay: (ledger, options) => relay(store, ledger, options),
  snapshot: (ledger, what, options) => snapshot(store, ledger, what, options),
});
