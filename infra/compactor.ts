import { reserved } from "./concurrency.ts";
import { quiet } from "./logs.ts";
import { OPERATIONS } from "./operations.ts";
import { table, tableAccess } from "./storage.ts";

/** The stream records that the compactor gave up on. The queue is empty on a healthy stage. */
export const failures = new sst.aws.Queue("CompactorFailures", {
  transform: { queue: { messageRetentionSeconds: days(14) } },
});

/**
 * Every new record batch triggers the compactor. The compactor reads the log itself, so a lost
 * record loses no work.
 */
export const compactor = table.subscribe(
  "Compactor",
  {
    handler: "packages/functions/src/compactor.handler",
    dev: false, // without `sst dev`, a live stub reports success and the records are lost
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
        // Every run costs reads, a write and a log line, even if it finds little.
        maximumBatchingWindowInSeconds: 10,
        functionResponseTypes: ["ReportBatchItemFailures"],
        // A partition that cannot be compacted must not block its shard. The sweeper retries it.
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
