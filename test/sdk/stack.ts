import { randomUUID } from "node:crypto";
import { afterAll, inject } from "vitest";
import { startStack } from "../../packages/local/src/stack.ts";
import { EventLedger, type LedgerOptions } from "../../packages/sdk/src/index.ts";

/** Opens the real stack on a separate table, and clients of it. */
export async function openStack() {
  const { url, adminKey, stop } = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `sdk-${randomUUID()}`,
  });
  afterAll(stop);
  const connect = (options: Partial<LedgerOptions> = {}) =>
    new EventLedger({ url, apiKey: adminKey, ...options });
  const ledger = connect();
  /** Creates a stream that no other test uses. */
  const newStream = async (settings = {}): Promise<string> => {
    const name = `sdk-${randomUUID()}`;
    await ledger.createStream(name, settings);
    return name;
  };
  return { url, adminKey, ledger, connect, newStream };
}

/**
 * Returns a signal that aborts by itself, so that a test that waits forever fails with a reason.
 */
export const within = (ms: number): AbortSignal => AbortSignal.timeout(ms);

/** Returns all items of an iterator. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
