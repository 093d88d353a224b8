import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { OPERATIONS } from "../../infra/operations.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { permitOnly } from "../../packages/local/src/permit.ts";
import { startStack } from "../../packages/local/src/stack.ts";
import { ADMIN_KEY, openHandler } from "../doors/doors.ts";
import { startGateway } from "../doors/gateway.ts";
import { apiGatewayEvent } from "../infra/http-event.ts";
import { createTestTable } from "../support/test-table.ts";
import type { Target } from "./wire.ts";

export type OpenTarget = Target & { close(): Promise<void> };

/** Returns the stage that EVENTLEDGER_URL and EVENTLEDGER_API_KEY name, if they do. */
function deployedStage(): OpenTarget | undefined {
  const { EVENTLEDGER_URL: baseUrl, EVENTLEDGER_API_KEY: apiKey } = process.env;
  return baseUrl && apiKey ? { baseUrl, apiKey, close: async () => {} } : undefined;
}

/** Opens the stage under test, or else a local stack on a fresh table of the shared database. */
export async function openTarget(): Promise<OpenTarget> {
  const stage = deployedStage();
  if (stage !== undefined) return stage;
  const { url, adminKey, stop } = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `contract-${randomUUID()}`,
  });
  return { baseUrl: url, apiKey: adminKey, close: stop };
}

/**
 * Opens the stage under test, or else the router's handler after an HTTP API, with the permissions
 * that it has on AWS, on a fresh table of the shared database. Nothing is compacted by itself.
 */
export async function openHandlerTarget(): Promise<OpenTarget> {
  const stage = deployedStage();
  if (stage !== undefined) return stage;
  const { client, endpoint, tableName } = await createTestTable();
  client.destroy();
  const opened = openLedger({
    endpoint,
    tableName,
    region: LOCAL_REGION,
    adminKey: ADMIN_KEY,
    cursorKey: "the-cursor-key-of-this-test",
  });
  permitOnly(opened.client, OPERATIONS.router);
  const gateway = await startGateway(openHandler(opened), apiGatewayEvent);
  const close = async () => {
    opened.close();
    await gateway.stop();
  };
  return { baseUrl: gateway.url, apiKey: ADMIN_KEY, close };
}
