import type { ArchiveConfig } from "@eventledger/functions/open-archive.ts";
import type { OpenLedger } from "@eventledger/functions/open-ledger.ts";
import { type Closers, createClosers } from "./closers.ts";
import { type DataFolder, makeKey, openDataFolder } from "./data-folder.ts";
import { watchDisk } from "./disk.ts";
import { type Engine, type EngineOptions, startEngine } from "./engine.ts";
import { startServer } from "./http-server.ts";
import { keepStore } from "./kept-store.ts";
import { localAws } from "./local-aws.ts";
import { assertPortFree, listenError } from "./port.ts";
import { startS3Server } from "./s3/server.ts";
import type { ForeignBucket } from "./settings.ts";
import { StackError } from "./stack-error.ts";
import { answersHttp } from "./store.ts";
import type { StoreKind } from "./store-program.ts";

export type StackOptions = {
  readonly host?: string;
  /** If absent, a free port. */
  readonly port?: number;
  /** The folder of all data. If absent, the data is in memory and is lost when the stack stops. */
  readonly dataFolder?: string | undefined;
  /** The endpoint of a running database. If absent, the stack starts one. */
  readonly endpoint?: string | undefined;
  /** A bucket of a running S3 server. If absent, the stack serves one of its own. */
  readonly archive?: ForeignBucket | undefined;
  /** The store to start. If absent, the data folder's store or the default of this platform. */
  readonly storeKind?: StoreKind | undefined;
  readonly tableName?: string;
  /** If absent, the key of the data folder or a new one. */
  readonly adminKey?: string | undefined;
  /** If absent, the key of the data folder or a new one. */
  readonly cursorKey?: string | undefined;
  /** True: the server asks for no key. Only allowed on a loopback `host`. */
  readonly authOff?: boolean;
  /** The web sites whose pages may call the API. */
  readonly corsOrigins?: readonly string[];
  /** The sites that may embed the portal. The default is none. */
  readonly portalAncestors?: readonly string[];
  /** The longest wait of a poll. With 0, no poll waits. */
  readonly waitSecondsMax?: number;
  /** How many days the audit streams are archived. */
  readonly auditArchiveDays?: number | undefined;
  /** Reports what the stack waits for while it starts. */
  readonly onStep?: (line: string) => void;
  /** Reports what happened while the stack runs, such as a restart of the database. */
  readonly onNotice?: (line: string) => void;
  /** Called when the stack cannot continue. */
  readonly onFatal?: (error: unknown) => void;
};

export type Stack = {
  readonly url: string;
  readonly adminKey: string;
  /** Stops everything in reverse order. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts all of EventLedger on this machine: database, table, HTTP server, sweeper, and the pump
 * that triggers the compactor. Throws `StackError` with one line for the user when something that
 * they can change prevents the start. In that case everything that was started is stopped.
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
  const { host = "127.0.0.1", port = 0, onStep = ignore } = options;
  await assertPortFree(host, port);
  const folder = await openFolder(options, closers);
  const adminKey = options.adminKey ?? folder?.adminKey ?? makeKey("elk_");
  const engine = await startEngines(options, folder, adminKey, closers);

  onStep("Starting the server");
  const server = await startServer(presentLedger(engine.current), { host, port }).catch(
    (error: unknown) => {
      throw listenError(error, host, port);
    },
  );
  closers.add(() => server.stop());
  // A wildcard address such as 0.0.0.0 cannot be opened in a browser.
  const url = server.url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  folder?.announce({ url });
  return { url, adminKey, stop: closers.close };
}

async function openFolder(
  { dataFolder, storeKind }: StackOptions,
  closers: Closers,
): Promise<DataFolder | undefined> {
  if (dataFolder === undefined) return undefined;
  const folder = await openDataFolder(dataFolder, storeKind);
  closers.add(() => folder.release());
  return folder;
}

/** Starts an engine, and a new one each time the database is restarted. */
async function startEngines(
  options: StackOptions,
  folder: DataFolder | undefined,
  adminKey: string,
  closers: Closers,
): Promise<{ current: () => Engine }> {
  const { endpoint, tableName = "eventledger", onStep = ignore, onNotice = ignore } = options;
  const cursorKey = options.cursorKey ?? folder?.cursorKey ?? makeKey("");
  const archive = await openBucket(options, folder, closers);
  const settings: Omit<EngineOptions, "endpoint" | "place"> = {
    archive,
    tableName,
    adminKey,
    cursorKey,
    onNotice,
    authOff: options.authOff ?? false,
    corsOrigins: options.corsOrigins ?? [],
    portalAncestors: options.portalAncestors ?? [],
    auditArchiveDays: options.auditArchiveDays,
    ...(options.waitSecondsMax === undefined ? {} : { waitSecondsMax: options.waitSecondsMax }),
    ...(folder === undefined ? {} : { hasRoomFor: watchDisk(folder.databaseDir, onNotice) }),
  };
  let engine: Engine | undefined;
  const current = () => {
    if (engine === undefined) throw new Error("No engine was started.");
    return engine;
  };

  if (endpoint !== undefined) {
    onStep(`Looking for the database at ${endpoint}`);
    await assertAnswering("DYNAMODB_ENDPOINT", endpoint);
    engine = await startEngine({ ...settings, endpoint, place: endpoint });
  } else {
    onStep("Starting the database");
    const place = folder?.databaseDir ?? "memory";
    const database = await keepStore({
      kind: folder?.storeKind ?? options.storeKind,
      dataDir: folder?.databaseDir,
      onStart: async (store) => {
        folder?.announce({ databasePid: store.pid });
        const former = engine;
        engine = await startEngine({ ...settings, endpoint: store.endpoint, place });
        // The requests of the old engine fail by themselves, so there is no need to wait for them.
        void former?.stop();
      },
      onNotice,
      onGiveUp: options.onFatal ?? ignore,
    });
    closers.add(() => database.stop());
  }
  closers.add(() => current().stop());
  return { current };
}

/** Starts the local S3 server, unless the settings name another one. */
async function openBucket(
  { archive, onNotice = ignore }: StackOptions,
  folder: DataFolder | undefined,
  closers: Closers,
): Promise<ArchiveConfig> {
  if (archive !== undefined) {
    await assertAnswering("S3_ENDPOINT", archive.endpoint);
    return archive;
  }
  const { credentials } = localAws("");
  const server = await startS3Server({
    bucket: BUCKET,
    credentials,
    folder: folder?.archiveDir,
    ...(folder === undefined ? {} : { hasRoomFor: watchDisk(folder.archiveDir, onNotice) }),
  });
  closers.add(() => server.stop());
  return { bucket: BUCKET, locks: true, endpoint: server.endpoint, credentials };
}

const BUCKET = "eventledger";
const ANSWER_TIMEOUT_MS = 3_000;

async function assertAnswering(name: string, endpoint: string): Promise<void> {
  if (await answersHttp(endpoint, ANSWER_TIMEOUT_MS)) return;
  const own = name === "S3_ENDPOINT" ? "bucket" : "database";
  throw new StackError(
    `No server answers at ${name} ${endpoint}. Start it, or unset ${name} to use the local ${own}.`,
  );
}

/**
 * Returns a ledger that passes each call to the current engine's ledger. The server keeps running
 * while engines change. What an earlier ledger remembers of the log is discarded with its engine.
 */
function presentLedger(current: () => Engine): OpenLedger {
  const present = <T extends object>(part: () => T): T =>
    new Proxy(part(), { get: (_, name) => Reflect.get(part(), name) });
  return {
    ...current().opened,
    ledger: present(() => current().opened.ledger),
    metrics: present(() => current().opened.metrics),
    authenticate: (...given) => current().opened.authenticate(...given),
  };
}

const ignore = () => {};
