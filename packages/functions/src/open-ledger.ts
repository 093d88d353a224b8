import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  type Clock,
  createAdminKey,
  createLedger,
  type Identity,
  type Ledger,
  rootCaller,
  systemClock,
  systemRandom,
} from "@eventledger/core";
import { Resource } from "sst/resource";
import type { Approach, Authenticate } from "./http/auth.ts";
import { isLoopback } from "./loopback.ts";
import { meterLedger } from "./metrics/metered-ledger.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { createStoreMeter } from "./metrics/store-meter.ts";
import { assertAdminKey, assertCursorKeys, readCursorKeys } from "./secrets.ts";
import { createStoreWrites, type HasRoomFor } from "./store-writes.ts";
import { readWaitSecondsMax } from "./wait-seconds.ts";

/** The facts about its environment that the product needs. */
export type Config = {
  /** The endpoint of a DynamoDB-compatible server. Without it, AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly tableName: string;
  readonly adminKey: string;
  /** Signs cursors: one secret or several, see `readCursorKeys`. Cursors end with their key. */
  readonly cursorKey: string;
  /** Lets everybody in as the bearer of the admin key. For a server on a loopback address only. */
  readonly authOff?: boolean;
  /** Web sites whose pages may call the API. */
  readonly corsOrigins?: readonly string[];
  /** Off: one append per request. For measuring only. */
  readonly groupCommit?: boolean;
  /** The longest wait of a poll. With 0, no poll waits. */
  readonly waitSecondsMax?: number;
  /** The number of publishes that may wait in this process. */
  readonly waitingMax?: number;
  /** Asks the disk of the store for room. AWS has no disk that fills up. */
  readonly hasRoomFor?: HasRoomFor;
  /** The metrics that this process already uses. Without them, it creates its own. */
  readonly metrics?: Metrics;
  /** Instead of the clock of this machine. For measuring only. */
  readonly clock?: Clock;
};

export type OpenLedger = {
  readonly ledger: Ledger;
  readonly authenticate: Authenticate;
  readonly authOff: boolean;
  readonly corsOrigins: readonly string[];
  /** The client beneath, so that tests can count and disturb its requests. */
  readonly client: DynamoDBClient;
  /** The measurements of this process. */
  readonly metrics: Metrics;
  close(): void;
};

/** The time limit of one attempt at the table. A publish has 5 s for all attempts. */
const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;

/** Puts the product together over one table. The only place that knows all of it. */
export function openLedger(config: Config): OpenLedger {
  const client = new DynamoDBClient({
    region: config.region,
    // Retrying is decided by those who know what a lost answer means.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...(config.endpoint === undefined
      ? {}
      : {
          endpoint: config.endpoint,
          credentials: { accessKeyId: "local", secretAccessKey: "local" },
        }),
  });
  const { metrics = createMetrics() } = config;
  client.middlewareStack.add(createStoreMeter(metrics), { step: "initialize", name: "storeMeter" });
  const clock = config.clock ?? systemClock;
  const { middleware, assertWritable } = createStoreWrites({
    hasRoomFor: config.hasRoomFor,
    now: () => clock.monotonic(),
  });
  client.middlewareStack.add(middleware, { step: "finalizeRequest", name: "storeWrites" });
  const ledger = createLedger({
    client,
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
    observeParked: () => metrics.count("KeysParked"),
  });
  const isAdminKey = createAdminKey(config.adminKey);
  const { corsOrigins = [] } = config;
  const letInFromHere: Authenticate = async (_, approach) =>
    isFromHere(approach, corsOrigins) ? ROOT : undefined;
  const authenticate: Authenticate = async (apiKey) => {
    if (apiKey === undefined) return undefined;
    return isAdminKey(apiKey) ? ROOT : ledger.access.identify(apiKey);
  };
  return {
    ledger: meterLedger(ledger, metrics),
    authenticate: config.authOff ? letInFromHere : authenticate,
    authOff: config.authOff ?? false,
    corsOrigins,
    client,
    metrics,
    close: () => {
      ledger.endWaits();
      client.destroy();
    },
  };
}

const ROOT: Identity = { caller: rootCaller, noted: Promise.resolve() };

/**
 * Even without keys not everybody is let in. Who calls this server by another name comes from a web
 * page that had its own name point here (DNS rebinding). And a page of another site can send
 * requests whose answers it cannot read, but which may do something: unless it is one of those
 * sites that may call the API, it must not.
 */
function isFromHere({ host, origin, site }: Approach, corsOrigins: readonly string[]): boolean {
  if (!isLoopback(host)) return false;
  if (origin !== undefined) return origin === `http://${host}` || corsOrigins.includes(origin);
  return site === undefined || site === "same-origin" || site === "none";
}

/**
 * The configuration of a deployed function. The keys are linked secrets, which never appear in a
 * function's environment. A value in the environment takes precedence. Functions that serve no
 * requests have neither. Throws an Error with one line that names what is missing, or what is too
 * easily guessed.
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
    waitSecondsMax: readWaitSecondsMax(env.EVENTLEDGER_WAIT_SECONDS_MAX, WAIT_SECONDS_ON_LAMBDA),
  };
}

/** A function that waits is billed for the time: $35 a month for one subscriber (docs/cost.md). */
const WAIT_SECONDS_ON_LAMBDA = 0;

/** Origins with commas between them. */
export const readOrigins = (text = ""): string[] =>
  text.split(",").flatMap((origin) => (origin.trim() === "" ? [] : [origin.trim()]));

/** The value of a linked secret. It is empty without a link, where the access itself throws. */
function linked(name: "AdminKey" | "CursorKey"): string {
  try {
    return (Resource as unknown as Record<typeof name, { value: string }>)[name].value;
  } catch {
    return "";
  }
}
