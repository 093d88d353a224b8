import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { createCompactorHandler } from "../../packages/functions/src/compactor.ts";
import { startServer } from "../../packages/functions/src/local.ts";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { type DataFolder, makeKey, openDataFolder } from "./data-folder.ts";
import { answersHttp } from "./dynamo.ts";
import { keepDynamo } from "./kept-dynamo.ts";
import { LOCAL_REGION, localAws } from "./local-aws.ts";
import { assertPortFree, listenError } from "./port.ts";
import { startPump } from "./pump.ts";
import { StackError } from "./stack-error.ts";
import { ensureTable, loadStreamArn } from "./table.ts";

export type StackOptions = {
  readonly host?: string;
  /** Without it, a free one. */
  readonly port?: number;
  /** Where everything is kept. Without it, in memory and gone at the end. */
  readonly dataFolder?: string | undefined;
  /** A database that runs already; without it, one is started. */
  readonly endpoint?: string | undefined;
  readonly tableName?: string;
  /** Without it, the data folder's, or a new one. */
  readonly adminKey?: string | undefined;
  /** Says what is being waited for while starting. */
  readonly onStep?: (line: string) => void;
  /** Says what happened while running, such as that the database had to be started again. */
  readonly onNotice?: (line: string) => void;
  /** The stack cannot go on. */
  readonly onFatal?: (error: unknown) => void;
};

export type Stack = {
  readonly url: string;
  readonly adminKey: string;
  /** Of the database. */
  readonly endpoint: string;
  readonly tableName: string;
  /** Ends everything, in the reverse order. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts all of EventLedger on this machine: database, table, HTTP server, the pump that rings the
 * compactor, and the sweeper. Throws `StackError` with one line for the user when something that
 * they can change is in the way; nothing is left running then.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const closers = createClosers(options.onNotice ?? ignore);
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(options: StackOptions, closers: Closers): Promise<Stack> {
  const { host = "127.0.0.1", port = 0, tableName = "eventledger", onStep = ignore } = options;
  await assertPortFree(host, port);
  const folder = await openFolder(options, closers);

  const endpoint = await openDatabase(options, tableName, folder, closers);
  onStep("Starting the server");
  const adminKey = options.adminKey ?? folder?.adminKey ?? makeKey("elk_");
  const cursorKey = folder?.cursorKey ?? makeKey("");
  const opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, adminKey, cursorKey });
  closers.add(async () => opened.close());
  const server = await startServer(opened, { host, port }).catch((error: unknown) => {
    throw listenError(error, host, port);
  });
  closers.add(() => server.stop());
  await startBackground(opened, endpoint, tableName, options, closers);
  // An address that means "all of this machine's" is none to go to.
  const url = server.url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  folder?.announce({ url });
  return { url, adminKey, endpoint, tableName, stop: closers.close };
}

async function openFolder(
  { dataFolder }: StackOptions,
  closers: Closers,
): Promise<DataFolder | undefined> {
  if (dataFolder === undefined) return undefined;
  const folder = await openDataFolder(dataFolder);
  closers.add(async () => folder.release());
  return folder;
}

/** Returns where the database answers, with the table in place. */
async function openDatabase(
  { endpoint, onStep = ignore, onNotice = ignore, onFatal = ignore }: StackOptions,
  tableName: string,
  folder: DataFolder | undefined,
  closers: Closers,
): Promise<string> {
  if (endpoint !== undefined) {
    onStep(`Looking for the database at ${endpoint}`);
    if (!(await answersHttp(endpoint, ANSWER_TIMEOUT_MS))) {
      throw new StackError(
        `No database answers at DYNAMODB_ENDPOINT ${endpoint}. Start it, or leave the variable ` +
          "out to have one started.",
      );
    }
    await prepareTable(endpoint, tableName, endpoint);
    return endpoint;
  }
  onStep("Starting the database");
  const database = await keepDynamo({
    dataDir: folder?.databaseDir,
    prepare: async (dynamo) => {
      folder?.announce({ databasePid: dynamo.pid });
      await prepareTable(dynamo.endpoint, tableName, folder?.databaseDir ?? "memory");
    },
    onNotice,
    onGiveUp: onFatal,
  });
  closers.add(() => database.stop());
  return database.endpoint;
}

const ANSWER_TIMEOUT_MS = 3_000;

async function prepareTable(endpoint: string, tableName: string, place: string): Promise<void> {
  const client = new DynamoDBClient(localAws(endpoint));
  try {
    await ensureTable(client, tableName);
  } catch (error) {
    if (error instanceof StackError) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StackError(
      `The database in ${place} does not work (${reason.split("\n")[0]}). Restore it, or move it ` +
        "away to begin afresh.",
    );
  } finally {
    client.destroy();
  }
}

/** What AWS does by itself: the table stream rings the compactor, and each minute the sweeper runs. */
async function startBackground(
  opened: OpenLedger,
  endpoint: string,
  tableName: string,
  { onNotice = ignore }: StackOptions,
  closers: Closers,
): Promise<void> {
  const table = new DynamoDBClient(localAws(endpoint));
  const streams = new DynamoDBStreamsClient({ ...localAws(endpoint), maxAttempts: 1 });
  closers.add(async () => {
    table.destroy();
    streams.destroy();
  });
  const pump = await startPump({
    client: streams,
    loadStreamArn: () => loadStreamArn(table, tableName),
    handler: createCompactorHandler(opened.ledger),
    onFailure: (records, reason) => {
      onNotice(`The compactor gave up ${records.length} notice(s), the sweeper goes on: ${reason}`);
    },
  });
  closers.add(() => pump.stop());

  let sweeping: Promise<unknown> = Promise.resolve();
  const sweep = () => {
    const previous = sweeping;
    sweeping = previous
      .then(() => opened.ledger.sweep())
      .catch((error: unknown) => {
        onNotice(`A sweep failed, the next one goes on: ${error}`);
      });
  };
  // The first one picks up what happened while nothing was running.
  sweep();
  const timer = setInterval(sweep, SWEEP_MS);
  closers.add(async () => {
    clearInterval(timer);
    await sweeping;
  });
}

const SWEEP_MS = 60_000;

type Closers = { add(close: () => Promise<void>): void; close(): Promise<void> };

/** Runs what was added, the last first, each one whatever became of the others, 5 s each at most. */
function createClosers(onNotice: (line: string) => void): Closers {
  const waiting: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const next of waiting.reverse()) {
      const limit = sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false });
      await Promise.race([next(), limit]).catch((error: unknown) => onNotice(String(error)));
    }
  };
  return {
    add: (next) => {
      waiting.push(next);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

const CLOSE_TIMEOUT_MS = 5_000;

const ignore = () => {};
