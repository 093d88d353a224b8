import type { Ledger } from "@eventledger/core";
import { openLedger, readConfig } from "./open-ledger.ts";
import type { Bells } from "./push/bells.ts";
import { queueFrom } from "./push/queue.ts";

type StreamRecord = {
  readonly dynamodb?: {
    readonly Keys?: Readonly<Record<string, { readonly S?: string }>>;
  };
};
type StreamEvent = { readonly Records: readonly StreamRecord[] };

/**
 * Rings the pushes that a batch of stream records concerns. Throws unless the queue has stored
 * every bell, so that Lambda sends the records again.
 */
export const createDispatcher =
  (ledger: Pick<Ledger, "ringPushes">, bells: Bells) =>
  async ({ Records }: StreamEvent): Promise<void> => {
    const keys = Records.map(({ dynamodb }) => ({
      pk: dynamodb?.Keys?.pk?.S ?? "",
      sk: dynamodb?.Keys?.sk?.S ?? "",
    }));
    const rung = await ledger.ringPushes(keys);
    await bells.send(rung.map((bell) => ({ bell, delaySeconds: 0 })));
  };

let dispatch: ReturnType<typeof createDispatcher> | undefined;

function open() {
  const bells = queueFrom(process.env);
  if (bells === undefined) throw new Error("The environment variable BELLS_URL is not set");
  return createDispatcher(openLedger(readConfig(process.env, { serves: false })).ledger, bells);
}

/** The entry point for the table's stream. The first call opens the ledger. */
export const handler = async (event: StreamEvent): Promise<void> => {
  dispatch ??= open();
  await dispatch(event);
};
