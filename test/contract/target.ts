import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { startStack } from "../../packages/local/src/stack.ts";
import type { Target } from "./wire.ts";

/**
 * Opens the target of the contract: the stage that EVENTLEDGER_URL and EVENTLEDGER_API_KEY name, or
 * else a new server on a fresh table of the shared database.
 */
export async function openTarget(): Promise<Target & { close(): Promise<void> }> {
  const { EVENTLEDGER_URL: baseUrl, EVENTLEDGER_API_KEY: apiKey } = process.env;
  if (baseUrl && apiKey) return { baseUrl, apiKey, close: async () => {} };
  const { url, adminKey, stop } = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `contract-${randomUUID()}`,
  });
  return { baseUrl: url, apiKey: adminKey, close: stop };
}
