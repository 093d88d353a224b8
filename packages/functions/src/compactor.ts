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
 * Rings the compactor. The records only show that something is new somewhere. Asks for another try
 * when the table failed. A partition that cannot be compacted holds up no other. The log reports
 * it.
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

/** The function on the table's stream. Its first call opens it. */
export const handler = async (event: StreamEvent): Promise<Outcome> => {
  opened ??= open();
  try {
    return await opened.compact(event);
  } finally {
    opened.metricsLog.flush();
  }
};
