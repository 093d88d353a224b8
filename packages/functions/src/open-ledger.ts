import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  createAdminKey,
  createLedger,
  defaultTenant,
  type Ledger,
  systemClock,
  systemRandom,
} from "@eventledger/core";
import { Resource } from "sst/resource";
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
  };
}

/** Looked at only when asked: without a link the access itself throws. */
const linked = Resource as unknown as Record<"AdminKey" | "CursorKey", { value: string }>;
