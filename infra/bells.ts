import { settings } from "./stage.ts";

/**
 * The pusher's timeout. A bell stays invisible for longer, so that no run is repeated beside it.
 */
export const PUSHER_MINUTES = 5;

/**
 * The bells that could not be answered, and the stream records for which no bell was rung. The
 * queue is empty on a healthy stage. It is `undefined` in a stage that does not push.
 */
export const deadBells = settings.push
  ? new sst.aws.Queue("DeadBells", {
      transform: { queue: { messageRetentionSeconds: 14 * 86_400 } },
    })
  : undefined;

/** The queue whose messages make the pusher look at one push each. */
export const bells =
  deadBells &&
  new sst.aws.Queue("Bells", {
    visibilityTimeout: `${PUSHER_MINUTES + 1} minutes`,
    dlq: { queue: deadBells.arn, retry: 3 },
    transform: { queue: { messageRetentionSeconds: 4 * 86_400 } },
  });

/** The additional environment and permission of a function that rings. */
export const ringing = {
  environment: bells && { BELLS_URL: bells.url },
  permissions: bells ? [{ actions: ["sqs:SendMessage"], resources: [bells.arn] }] : [],
};
