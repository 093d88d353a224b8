import { randomUUID } from "node:crypto";
import { afterAll, inject } from "vitest";
import { startStack } from "../../packages/local/src/stack.ts";
import { EventLedger, type LedgerOptions } from "../../packages/sdk/src/index.ts";

/** The real stack on a separate table, and clients of it. */
export async function openStack() {
  const { url, adminKey, stop } = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `sdk-${randomUUID()}`,
  });
  afterAll(stop);
  const connect = (options: Partial<LedgerOptions> = {}) =>
    new EventLedger({ url, apiKey: adminKey, ...options });
  const ledger = connect();
  /** A stream that no other test uses. */
  const newStream = async (settings = {}): Promise<string> => {
    const name = `sdk-${randomUUID()}`;
    await ledger.createStream(name, settings);
    return name;
  };
  return { url, adminKey, ledger, connect, newStream };
}

/** Aborts by itself, so that a test that waits for ever fails with a reason. */
export const within = (ms: number): AbortSignal => AbortSignal.timeout(ms);

/** Everything that an iterator brings. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
