import { expect, it } from "vitest";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { startLedger } from "../../packages/sdk/src/testing/index.ts";

it("the real stack starts in memory for a test, and ends", async () => {
  const { url, apiKey, stop } = await startLedger({ memory: true });
  const ledger = new EventLedger({ url, apiKey });
  await ledger.createStream("orders");
  const receipt = await ledger.stream("orders").publish({ key: "a", data: 1 });
  expect(receipt.events).toMatchObject([{ sequence: 1 }]);
  await stop();
  await expect(
    new EventLedger({ url, apiKey, retry: { attempts: 1 } }).whoami(),
  ).rejects.toMatchObject({ name: "LedgerUnreachable", maybeWritten: false });
});
