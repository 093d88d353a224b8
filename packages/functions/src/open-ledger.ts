import { randomUUID } from "node:crypto";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  type Clock,
  createAdminKey,
  createLedger,
  type Identity,
  isPortalToken,
  type Ledger,
  type Pace,
  rootCaller,
  systemClock,
  systemRandom,
} from "@eventledger/core";
import { readAuditArchiveDays } from "./audit-archive-days.ts";
import { emulatorAccess } from "./emulator.ts";
import type { Authenticate, RequestOrigin } from "./http/auth.ts";
import { linked } from "./linked.ts";
import { isLoopback } from "./loopback.ts";
import { observeArchive } from "./metrics/archive-lag.ts";
import { observeCompaction } from "./metrics/compaction-lag.ts";
import { meterLedger } from "./metrics/metered-ledger.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { createStoreMeter } from "./metrics/store-meter.ts";
import { type ArchiveConfig, openArchive, readArchive } from "./open-archive.ts";
import { readPortalAncestors } from "./portal-ancestors.ts";
import type { OpenPush } from "./push/open-push.ts";
import { assertAdminKey, assertCursorKeys, readCursorKeys } from "./secrets.ts";
import { createStoreClient } from "./store/store-client.ts";
import { createStoreWrites, type HasRoomFor } from "./store-writes.ts";
import { readWaitSecondsMax } from "./wait-seconds.ts";

/** The settings that the product takes from its environment. */
export type Config = {
  /** The endpoint of a DynamoDB-compatible server. If absent, AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly tableName: string;
  readonly adminKey: string;
  /**
   * The secrets that sign cursors: one or several, see `readCursorKeys`. When a secret is removed,
   * its cursors become invalid.
   */
  readonly cursorKey: string;
  /**
   * Treats every client as the holder of the admin key. Only for a server on a loopback address.
   */
  readonly authOff?: boolean;
  /** The web sites whose pages may call the API. */
  readonly corsOrigins?: readonly string[];
  /** The sites that may embed the portal: see `readPortalAncestors`. */
  readonly portalAncestors?: readonly string[];
  /** False: each request appends on its own. Only for measurements. */
  readonly groupCommit?: boolean;
  /** The longest wait of a poll. With 0, no poll waits. */
  readonly waitSecondsMax?: number;
  /** The number of publishes that may wait in this process. */
  readonly waitingMax?: number;
  /** Reports whether the store's disk has room. AWS needs no such check. */
  readonly hasRoomFor?: HasRoomFor;
  /** Decides when compaction writes. The default follows the response times of its writes. */
  readonly compactionPace?: Pace;
  /**
   * The number of compacted rows per write. More than one saves time on a local disk, but costs
   * twice as much on AWS.
   */
  readonly rowsTogether?: number;
  /** The metrics that this process already uses. If absent, the ledger creates its own. */
  readonly metrics?: Metrics;
  /** The bucket of the archive. If absent, no stream can be archived. */
  readonly archive?: ArchiveConfig | undefined;
  /**
   * How many days the audit streams are archived, where there is a bucket. If absent, they stay as
   * they are.
   */
  readonly auditArchiveDays?: number | undefined;
  /** How events are pushed to endpoints. If absent, nothing is pushed. */
  readonly push?: OpenPush | undefined;
  /** Replaces the clock of this machine. Only for measurements. */
  readonly clock?: Clock;
};

export type OpenLedger = {
  readonly ledger: Ledger;
  readonly authenticate: Authenticate;
  readonly authOff: boolean;
  readonly corsOrigins: readonly string[];
  readonly portalAncestors?: readonly string[];
  /** The underlying client, so that tests can count and disturb its requests. */
  readonly client: DynamoDBClient;
  /** The measurements of this process. */
  readonly metrics: Metrics;
  close(): void;
};

/** The time limits of one request to the table. A publish has 5 s for all its attempts. */
const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** An empty page of 64 partitions asks for all of them at once. */
const CONNECTIONS = { keepAlive: true, maxSockets: 128 };

/** Assembles the product over one table. No other file knows all of its parts. */
export function openLedger(config: Config): OpenLedger {
  const { sign, ...access } =
    config.endpoint === undefined
      ? { sign: undefined }
      : { endpoint: config.endpoint, ...emulatorAccess(config.region) };
  const client = createStoreClient(
    {
      region: config.region,
      // The SDK does not retry. The callers retry, because they know what a lost answer means.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        httpAgent: CONNECTIONS,
        httpsAgent: CONNECTIONS,
      },
      ...access,
    },
    sign,
  );
  const { metrics = createMetrics() } = config;
  client.middlewareStack.add(createStoreMeter(metrics), { step: "initialize", name: "storeMeter" });
  const clock = config.clock ?? systemClock;
  const { middleware, assertWritable } = createStoreWrites({
    hasRoomFor: config.hasRoomFor,
    now: () => clock.monotonic(),
  });
  client.middlewareStack.add(middleware, { step: "finalizeRequest", name: "storeWrites" });
  const archive = config.archive && openArchive(config.archive, { region: config.region, clock });
  const ledger = createLedger({
    client,
    push: config.push,
    audit: archive === undefined ? {} : { archiveDays: config.auditArchiveDays },
    objects: archive?.objects,
    objectsLock: config.archive?.locks,
    tableName: config.tableName,
    clock,
    assertWritable,
    random: systemRandom,
    cursorKeys: readCursorKeys(config.cursorKey),
    groupCommit: config.groupCommit ?? true,
    waitingMax: config.waitingMax,
    waitSecondsMax: config.waitSecondsMax,
    keyKind: config.endpoint === undefined ? "live" : "test",
    observeAppend: metrics.count,
    compactionPace: config.compactionPace,
    rowsTogether: config.rowsTogether,
    observeCompaction: observeCompaction(metrics, () => clock.monotonic()),
    observeArchive: observeArchive(metrics, () => clock.monotonic()),
    observeColdRead: () => metrics.count("ColdReads"),
    observeParked: () => metrics.count("KeysParked"),
  });
  const isAdminKey = createAdminKey(config.adminKey);
  const { corsOrigins = [], portalAncestors = [] } = config;
  // A portal token has its own rights here too, so that the portal can be tried.
  const letInFromHere: Authenticate = async (apiKey, from) => {
    if (!isFromHere(from, corsOrigins)) return undefined;
    return apiKey !== undefined && isPortalToken(apiKey) ? ledger.access.identify(apiKey) : ROOT;
  };
  const authenticate: Authenticate = async (apiKey) => {
    if (apiKey === undefined) return undefined;
    return isAdminKey(apiKey) ? ROOT : ledger.access.identify(apiKey);
  };
  return {
    ledger: meterLedger(ledger, metrics),
    authenticate: config.authOff ? letInFromHere : authenticate,
    authOff: config.authOff ?? false,
    corsOrigins,
    portalAncestors,
    client,
    metrics,
    close: () => {
      ledger.endWaits();
      client.destroy();
      archive?.close();
      config.push?.close();
    },
  };
}

const ROOT: Identity = { caller: rootCaller, noted: Promise.resolve() };

/**
 * Returns whether a request comes from this machine, on a server without keys. A request for
 * another host name comes from a web page that redirected its own name to this machine (DNS
 * rebinding). A page of another web site cannot read the answers, but its requests could still
 * change data. Such a page is refused unless it may call the API.
 */
function isFromHere(
  { host, origin, site }: RequestOrigin,
  corsOrigins: readonly string[],
): boolean {
  if (!isLoopback(host)) return false;
  if (origin !== undefined) return origin === `http://${host}` || corsOrigins.includes(origin);
  return site === undefined || site === "same-origin" || site === "none";
}

/**
 * Reads the configuration of a deployed function. The keys are linked secrets, which never appear
 * in a function's environment. A value in the environment takes precedence. Functions that serve no
 * requests have no keys. Throws an Error with one line that names the missing setting, or a secret
 * that is too easy to guess.
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  { serves }: { serves: boolean } = { serves: true },
): Config {
  const { TABLE_NAME: tableName } = env;
  if (!tableName) throw new Error("The environment variable TABLE_NAME is not set");
  const adminKey = serves ? env.EVENTLEDGER_ADMIN_KEY || linked("AdminKey") : randomUUID();
  const cursorKey = serves ? env.EVENTLEDGER_CURSOR_KEYS || linked("CursorKey") : randomUUID();
  assertAdminKey(adminKey);
  assertCursorKeys(cursorKey);
  return {
    ...(env.DYNAMODB_ENDPOINT ? { endpoint: env.DYNAMODB_ENDPOINT } : {}),
    region: env.AWS_REGION ?? "us-east-1",
    tableName,
    adminKey,
    cursorKey,
    corsOrigins: readOrigins(env.EVENTLEDGER_CORS_ORIGINS),
    portalAncestors: readPortalAncestors(env.EVENTLEDGER_PORTAL_ANCESTORS),
    waitSecondsMax: readWaitSecondsMax(env.EVENTLEDGER_WAIT_SECONDS_MAX, WAIT_SECONDS_ON_LAMBDA),
    archive: readArchive(env),
    auditArchiveDays: readAuditArchiveDays(env.EVENTLEDGER_AUDIT_ARCHIVE_DAYS),
  };
}

/** AWS bills a function while it waits: $35 a month for one subscriber (docs/cost.md). */
const WAIT_SECONDS_ON_LAMBDA = 0;

/** Splits a list of origins that are separated by commas. */
export const readOrigins = (text = ""): string[] =>
  text.split(",").flatMap((origin) => (origin.trim() === "" ? [] : [origin.trim()]));
