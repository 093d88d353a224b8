import { archiveAccess, archived } from "./archive.ts";
import { bells, deadBells, PUSHER_MINUTES, ringing } from "./bells.ts";
import { quiet } from "./logs.ts";
import { OBJECT_OPERATIONS, OPERATIONS } from "./operations.ts";
import { pushKey } from "./secrets.ts";
import { table, tableAccess } from "./storage.ts";

/**
 * The maximum number of pushes that run at the same time, so that they leave room for the router.
 */
const PUSHERS_MAX = 10;

/** The functions that push. They are `undefined` in a stage that does not push. */
export const push = bells && deadBells && pushKey && start(bells, deadBells, pushKey);

function start(queue: sst.aws.Queue, dead: sst.aws.Queue, key: sst.Secret) {
  /**
   * New record batches and rung bells trigger the dispatcher, and nothing else does. It only rings.
   * If it loses a record, the sweeper rings within an hour.
   */
  const dispatcher = table.subscribe(
    "Dispatcher",
    {
      handler: "packages/functions/src/dispatcher.handler",
      dev: false, // without `sst dev`, a live stub reports success and the records are lost
      memory: "512 MB",
      timeout: "30 seconds",
      environment: { TABLE_NAME: table.name, ...ringing.environment },
      transform: quiet,
      permissions: [
        tableAccess(OPERATIONS.dispatcher),
        ...ringing.permissions,
        { actions: ["sqs:SendMessage"], resources: [dead.arn] },
      ],
    },
    {
      filters: [
        { eventName: ["INSERT"], dynamodb: { Keys: { sk: { S: [{ prefix: "SEQ#" }] } } } },
        { eventName: ["INSERT", "MODIFY"], dynamodb: { Keys: { sk: { S: ["BELL"] } } } },
      ],
      transform: {
        eventSourceMapping: {
          startingPosition: "LATEST",
          batchSize: 1_000,
          // A delivery waits for this window, so a busy stream rings once per window.
          maximumBatchingWindowInSeconds: 1,
          bisectBatchOnFunctionError: true,
          maximumRetryAttempts: 10,
          maximumRecordAgeInSeconds: 3_600,
          destinationConfig: { onFailure: { destinationArn: dead.arn } },
        },
      },
    },
  );

  const pusher = queue.subscribe(
    {
      handler: "packages/functions/src/pusher.handler",
      dev: false,
      memory: "512 MB",
      timeout: `${PUSHER_MINUTES} minutes`,
      environment: { TABLE_NAME: table.name, ...ringing.environment, ...archived.environment },
      copyFiles: $util.output(archived.copyFiles),
      link: [key],
      transform: quiet,
      permissions: [
        tableAccess(OPERATIONS.pusher),
        ...ringing.permissions,
        ...archiveAccess(OBJECT_OPERATIONS.pusher),
      ],
    },
    {
      batch: { size: 1 },
      transform: {
        eventSourceMapping: { scalingConfig: { maximumConcurrency: PUSHERS_MAX } },
      },
    },
  );

  return { dispatcher, pusher };
}
