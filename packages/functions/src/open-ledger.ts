import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  createAdminKey,
  createLedger,
  defaultTenant,
  type Ledger,
  systemClock,
  systemRandom,
} from "@eventledger/core";
import type { Authenticate } from "./http/auth.ts";

/** What the product needs to know of its surroundings. */
export type Config = {
  /** Of a DynamoDB-compatible server; without it, AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly tableName: string;
  readonly adminKey: string;
  /** Signs cursors. Changing it makes all cursors unusable. */
  readonly cursorKey: string;
  /** Off: one append per request. For measuring only. */
  readonly groupCommit?: boolean;
};

export type OpenLedger = {
  readonly ledger: Ledger;
  readonly authenticate: Authenticate;
  /** The client beneath, for whoever counts or disturbs what goes through it. */
  readonly client: DynamoDBClient;
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
  const ledger = createLedger({
    client,
    tableName: config.tableName,
    clock: systemClock,
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from(config.cursorKey) }],
    groupCommit: config.groupCommit ?? true,
  });
  const isAdminKey = createAdminKey(config.adminKey);
  const admin = { tenant: defaultTenant };
  return {
    ledger,
    authenticate: async (apiKey) => (isAdminKey(apiKey) ? admin : undefined),
    client,
    close: () => client.destroy(),
  };
}

/** The configuration of a deployed function. Throws an Error that names what is missing. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    ...(env.DYNAMODB_ENDPOINT ? { endpoint: env.DYNAMODB_ENDPOINT } : {}),
    region: env.AWS_REGION ?? "us-east-1",
    tableName: required(env, "TABLE_NAME"),
    adminKey: required(env, "EVENTLEDGER_ADMIN_KEY"),
    cursorKey: required(env, "EVENTLEDGER_CURSOR_KEY"),
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new Error(`The environment variable ${name} is not set`);
}
