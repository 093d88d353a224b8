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
import type { Authenticate } from "./http/auth.ts";
import { isLoopback } from "./loopback.ts";
import { meterLedger } from "./metrics/metered-ledger.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { createStoreMeter } from "./metrics/store-meter.ts";

/** What the product needs to know of its surroundings. */
export type Config = {
  /** Of a DynamoDB-compatible server; without it, AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly tableName: string;
  readonly adminKey: string;
  /** Signs cursors. Changing it makes all cursors unusable. */
  readonly cursorKey: string;
  /** Lets everybody in as the bearer of the admin key. For a server on a loopback address only. */
  readonly authOff?: boolean;
  /** Web sites whose pages may call the API. */
  readonly corsOrigins?: readonly string[];
  /** Off: one append per request. For measuring only. */
  readonly groupCommit?: boolean;
  /** How many publishes may wait in this process. */
  readonly waitingMax?: number;
  /** Instead of the clock of this machine. For measuring only. */
  readonly clock?: Clock;
};

export type OpenLedger = {
  readonly ledger: Ledger;
  readonly authenticate: Authenticate;
  readonly authOff: boolean;
  readonly corsOrigins: readonly string[];
  /** The client beneath, for whoever counts or disturbs what goes through it. */
  readonly client: DynamoDBClient;
  /** What is measured in this process. */
  readonly metrics: Metrics;
  close(): void;
};

/** One attempt at the table may take this long; a publish has 5 s for all of them. */
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
  const metrics = createMetrics();
  client.middlewareStack.add(createStoreMeter(metrics), { step: "initialize", name: "storeMeter" });
  const ledger = createLedger({
    client,
    tableName: config.tableName,
    clock: config.clock ?? systemClock,
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from(config.cursorKey) }],
    groupCommit: config.groupCommit ?? true,
    waitingMax: config.waitingMax,
    keyKind: config.endpoint === undefined ? "live" : "test",
    observeAppend: metrics.count,
  });
  const isAdminKey = createAdminKey(config.adminKey);
  const authenticate: Authenticate = async (apiKey) => {
    if (apiKey === undefined) return undefined;
    return isAdminKey(apiKey) ? ROOT : ledger.access.identify(apiKey);
  };
  return {
    ledger: meterLedger(ledger, metrics),
    authenticate: config.authOff ? letInFromHere : authenticate,
    authOff: config.authOff ?? false,
    corsOrigins: config.corsOrigins ?? [],
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
 * Who calls this server by another name comes from a web page that had its own name point here (DNS
 * rebinding), so even without keys not everybody is let in.
 */
const letInFromHere: Authenticate = async (_, host) =>
  isLoopback(host.replace(/:\d+$/, "")) ? ROOT : undefined;

/**
 * The configuration of a deployed function. The keys are linked secrets, which never show in a
 * function's environment; the environment goes before them. Functions that serve no requests have
 * neither. Throws an Error that names what is missing.
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  { serves }: { serves: boolean } = { serves: true },
): Config {
  const { TABLE_NAME: tableName } = env;
  if (!tableName) throw new Error("The environment variable TABLE_NAME is not set");
  const secret = (variable: string, link: "AdminKey" | "CursorKey"): string =>
    env[variable] || (serves ? linked[link].value : randomUUID());
  return {
    ...(env.DYNAMODB_ENDPOINT ? { endpoint: env.DYNAMODB_ENDPOINT } : {}),
    region: env.AWS_REGION ?? "us-east-1",
    tableName,
    adminKey: secret("EVENTLEDGER_ADMIN_KEY", "AdminKey"),
    cursorKey: secret("EVENTLEDGER_CURSOR_KEY", "CursorKey"),
    corsOrigins: readOrigins(env.EVENTLEDGER_CORS_ORIGINS),
  };
}

/** Origins with commas between them. */
export const readOrigins = (text = ""): string[] =>
  text.split(",").flatMap((origin) => (origin.trim() === "" ? [] : [origin.trim()]));

/** Looked at only when asked: without a link the access itself throws. */
const linked = Resource as unknown as Record<"AdminKey" | "CursorKey", { value: string }>;
