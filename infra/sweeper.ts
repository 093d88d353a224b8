import { archiveAccess, archived } from "./archive.ts";
import { ringing } from "./bells.ts";
import { reserved } from "./concurrency.ts";
import { quiet } from "./logs.ts";
import { OBJECT_OPERATIONS, OPERATIONS } from "./operations.ts";
import { table, tableAccess } from "./storage.ts";

/**
 * Sweeps every partition once an hour. It also checks idle partitions, and finishes work that a
 * crash interrupted.
 */
export const sweeper = new sst.aws.CronV2("Sweeper", {
  schedule: "rate(1 hour)",
  function: {
    handler: "packages/functions/src/sweeper.handler",
    dev: false, // the schedule keeps running after `sst dev` has ended
    memory: "512 MB",
    timeout: "10 minutes",
    concurrency: reserved.sweeper,
    environment: { TABLE_NAME: table.name, ...ringing.environment, ...archived.environment },
    copyFiles: $util.output(archived.copyFiles),
    transform: quiet,
    permissions: [
      tableAccess(OPERATIONS.sweeper),
      ...ringing.permissions,
      ...archiveAccess(OBJECT_OPERATIONS.sweeper),
    ],
  },
});
