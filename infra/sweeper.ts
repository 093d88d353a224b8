import { reserved } from "./concurrency.ts";
import { quiet } from "./logs.ts";
import { OPERATIONS } from "./operations.ts";
import { table, tableAccess } from "./storage.ts";

/**
 * Looks at every partition once an hour: an idle one is seen, and what a crash interrupted is
 * finished.
 */
export const sweeper = new sst.aws.CronV2("Sweeper", {
  schedule: "rate(1 hour)",
  function: {
    handler: "packages/functions/src/sweeper.handler",
    dev: false, // a schedule goes on after `sst dev` has ended
    memory: "512 MB",
    timeout: "10 minutes",
    concurrency: reserved.sweeper,
    environment: { TABLE_NAME: table.name },
    transform: quiet,
    permissions: [tableAccess(OPERATIONS.sweeper)],
  },
});
