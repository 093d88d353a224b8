import type { Ledger } from "@eventledger/core";
import { openMetricsLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";

type StreamRecord = {
  readonly dynamodb?: {
    readonly SequenceNumber?: string;
    readonly Keys?: Readonly<Record<string, { readonly S?: string }>>;
  };
};
type StreamEvent = { readonly Records: readonly StreamRecord[] };
type Outcome = { batchItemFailures: { itemIdentifier: string }[] };

/**
 * Compacts the partitions that a batch of stream records names. A record only shows that its
 * partition has new events. When the table fails, the result asks Lambda to send the records from
 * there again. A partition that cannot be compacted is logged and does not stop the others.
 */
export const createCompactorHandler =
  (ledger: Ledger) =>
  async ({ Records }: StreamEvent): Promise<Outcome> => {
    const keyOf = ({ dynamodb }: StreamRecord) => dynamodb?.Keys?.pk?.S ?? "";
    const { again, stuck } = await ledger.ring(Records.map(keyOf));
    for (const { error, ...partition } of stuck) {
      logLine({ level: "ERROR", ...partition, ...describeError(error) });
    }
    const failed = Records.find((record) => again.includes(keyOf(record)));
    const itemIdentifier = failed?.dynamodb?.SequenceNumber;
    return { batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }] };
  };

let opened: ReturnType<typeof open> | undefined;

function open() {
  const config = readConfig(process.env, { serves: false });
  const { ledger, metrics } = openLedger(config);
  return { compact: createCompactorHandler(ledger), metricsLog: openMetricsLog(metrics, config) };
}

/** The entry point for the table's stream. The first call opens the ledger. */
export const handler = async (event: StreamEvent): Promise<Outcome> => {
  opened ??= open();
  try {
    return await opened.compact(event);
  } finally {
    opened.metricsLog.flush();
  }
};
