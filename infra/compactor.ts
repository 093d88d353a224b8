import { reserved } from "./concurrency.ts";
import { quiet } from "./logs.ts";
import { OPERATIONS } from "./operations.ts";
import { table, tableAccess } from "./storage.ts";

/** Pointers to the stream records that the compactor gave up on. It is empty on a healthy stage. */
export const failures = new sst.aws.Queue("CompactorFailures", {
  transform: { queue: { messageRetentionSeconds: days(14) } },
});

/** Rung by every new record batch. It reads the log itself, so a lost ring is no lost work. */
export const compactor = table.subscribe(
  "Compactor",
  {
    handler: "packages/functions/src/compactor.handler",
    dev: false, // a live stub without `sst dev` reports success, and the stream moves on
    memory: "1024 MB",
    timeout: "2 minutes",
    concurrency: reserved.compactor,
    environment: { TABLE_NAME: table.name },
    transform: quiet,
    permissions: [
      tableAccess(OPERATIONS.compactor),
      { actions: ["sqs:SendMessage"], resources: [failures.arn] },
    ],
  },
  {
    filters: [{ eventName: ["INSERT"], dynamodb: { Keys: { sk: { S: [{ prefix: "SEQ#" }] } } } }],
    transform: {
      eventSourceMapping: {
        startingPosition: "TRIM_HORIZON",
        batchSize: 1_000,
        // Every run costs reads, a write and a line of log, however much it finds.
        maximumBatchingWindowInSeconds: 10,
        functionResponseTypes: ["ReportBatchItemFailures"],
        // A partition that cannot be compacted must not hold up its shard. The sweeper rings again.
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: 5,
        maximumRecordAgeInSeconds: 3_600,
        destinationConfig: { onFailure: { destinationArn: failures.arn } },
      },
    },
  },
);

function days(count: number) {
  return count * 86_400;
}
