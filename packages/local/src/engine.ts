import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { createCompactorHandler } from "@eventledger/functions/compactor.ts";
import type { ArchiveConfig } from "@eventledger/functions/open-archive.ts";
import { type OpenLedger, openLedger } from "@eventledger/functions/open-ledger.ts";
import { openPush } from "@eventledger/functions/push/open-push.ts";
import { OBJECT_OPERATIONS, type ObjectOperation, OPERATIONS } from "../../../infra/operations.ts";
import { createClosers } from "./closers.ts";
import type { StreamRecord } from "./deliver.ts";
import { inTurns } from "./in-turns.ts";
import { createLeftOver } from "./left-over.ts";
import { LOCAL_REGION, localAws } from "./local-aws.ts";
import { permitObjects, permitOnly } from "./permit.ts";
import { startPump } from "./pump.ts";
import { startPusher } from "./pusher.ts";
import { StackError } from "./stack-error.ts";
import { ensureTable, loadStreamArn } from "./table.ts";

export type EngineOptions = {
  readonly endpoint: string;
  /** Describes for the user where the data is. */
  readonly place: string;
  readonly tableName: string;
  readonly adminKey: string;
  readonly cursorKey: string;
  readonly authOff: boolean;
  readonly corsOrigins: readonly string[];
  readonly portalAncestors?: readonly string[];
  readonly waitSecondsMax?: number;
  /** Returns whether the disk of the database has room for this many more bytes. */
  readonly hasRoomFor?: (bytes: number) => Promise<boolean>;
  /** How many days the audit streams are archived. */
  readonly auditArchiveDays?: number | undefined;
  /** The bucket of the archive. */
  readonly archive: ArchiveConfig;
  readonly onNotice: (line: string) => void;
};

/** The ledger over one database, together with the work that AWS does by itself. */
export type Engine = { readonly opened: OpenLedger; stop(): Promise<void> };

/**
 * Creates the table if it is absent and opens the ledger. The table's stream triggers the
 * compactor, and the sweeper runs each minute. Throws `StackError` when the database does not work.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { endpoint, tableName, onNotice } = options;
  const closers = createClosers(onNotice);
  const table = new DynamoDBClient(localAws(endpoint));
  const streams = new DynamoDBStreamsClient({ ...localAws(endpoint), maxAttempts: 1 });
  closers.add(() => table.destroy());
  closers.add(() => streams.destroy());
  try {
    await ensureTable(table, tableName).catch((error: unknown) => {
      throw databaseError(error, options.place);
    });
    // A cursor key never changes in a data folder, so secrets that it has encrypted stay readable.
    const push = () => openPush({ key: options.cursorKey, reach: "everything" });
    const config = { region: LOCAL_REGION, ...options };
    const archiveFor = (operations: readonly ObjectOperation[]) => ({
      ...options.archive,
      prepare: permitObjects(operations),
    });
    const opened = openLedger({
      ...config,
      push: push(),
      archive: archiveFor(OBJECT_OPERATIONS.router),
    });
    // Each ledger has the permissions and the connections of its own function on AWS. All of them
    // share one set of metrics. Background work writes only as much as publishing leaves free.
    const leftOver = createLeftOver();
    leftOver.watch(opened.client);
    const background = {
      ...config,
      metrics: opened.metrics,
      compactionPace: leftOver.pace,
      rowsTogether: ROWS_TOGETHER,
    };
    const compactor = openLedger({ ...background, archive: undefined });
    const sweeper = openLedger({ ...background, archive: archiveFor(OBJECT_OPERATIONS.sweeper) });
    const pushing = openLedger({ ...config, push: push(), metrics: opened.metrics });
    permitOnly(opened.client, OPERATIONS.router);
    permitOnly(compactor.client, OPERATIONS.compactor);
    permitOnly(sweeper.client, OPERATIONS.sweeper);
    permitOnly(pushing.client, OPERATIONS.pusher);
    for (const one of [opened, compactor, sweeper, pushing]) closers.add(() => one.close());
    // The compactor and the sweeper both compact what lags. If they ran at the same time, they
    // would put each row twice.
    const alone = inTurns();
    const untilStopped = <T>(work: Promise<T>, otherwise: T): Promise<T> =>
      Promise.race([work, leftOver.stopped.then(() => otherwise)]);
    const compact = createCompactorHandler(compactor.ledger);
    const pusher = startPusher({ ledger: pushing.ledger, onNotice });
    closers.add(() => pusher.stop());
    const ringPushes = async ({ Records }: { readonly Records: readonly StreamRecord[] }) => {
      const keys = Records.map(({ dynamodb: { Keys } }) => ({
        pk: Keys.pk?.S ?? "",
        sk: Keys.sk?.S ?? "",
      }));
      pusher.ring(await pushing.ledger.ringPushes(keys));
    };
    const pump = await startPump({
      client: streams,
      loadStreamArn: () => loadStreamArn(table, tableName),
      handler: async (event) => {
        // If a ring fails, the next one makes up for it.
        await ringPushes(event).catch((error: unknown) => onNotice(`A ring failed: ${error}`));
        return alone(() => untilStopped(compact(event), { batchItemFailures: [] }));
      },
      timeoutMs: COMPACT_TIMEOUT_MS,
      onFailure: (records, reason) => {
        onNotice(
          `The compactor gave up ${records.length} record(s); the sweeper will compact their partitions: ${reason}`,
        );
      },
    });
    closers.add(() => pump.stop());
    const sweep = async () => {
      await alone(() => untilStopped(sweeper.ledger.sweep(), undefined));
      const [failure] = await sweeper.ledger.sweepExports({ budgetMs: SWEEP_MS });
      const [stuck] = await sweeper.ledger.sweepErasures({ budgetMs: SWEEP_MS });
      if (failure !== undefined) throw failure;
      if (stuck !== undefined) throw stuck;
    };
    const sweeping = startSweeper(sweep, onNotice);
    closers.add(() => sweeping.stop());
    closers.add(() => leftOver.stop());
    return { opened, stop: closers.close };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** A transaction waits for the disk once. A larger one saves little, and publishers wait longer. */
const ROWS_TOGETHER = 50;

const SWEEP_MS = 60_000;
/** A ring may wait for a sweep, and each may take a minute. */
const COMPACT_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 3_000;

/** The first sweep runs at once. It finds the work that was left while nothing was running. */
function startSweeper(
  work: () => Promise<unknown>,
  onNotice: (line: string) => void,
): { stop(): Promise<void> } {
  let stopped = false;
  let sweeping: Promise<void> = Promise.resolve();
  const sweep = () => {
    sweeping = sweeping
      .then(async () => {
        if (!stopped) await work();
      })
      .catch((error: unknown) => {
        if (!stopped) onNotice(`A sweep failed; the next one continues: ${error}`);
      });
  };
  sweep();
  const timer = setInterval(sweep, SWEEP_MS);
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await Promise.race([sweeping, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

function databaseError(error: unknown, place: string): unknown {
  if (error instanceof StackError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new StackError(
    `The database in ${place} does not work (${reason.split("\n")[0]}). Restore it, or move it ` +
      "away to start with an empty one.",
  );
}
