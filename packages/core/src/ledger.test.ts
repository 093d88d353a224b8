import { expect, it } from "vitest";
import { systemClock } from "./kernel/clock.ts";
import { systemRandom } from "./kernel/random.ts";
import { createLedger } from "./ledger.ts";
import type { LedgerDeps } from "./operations/parts.ts";

it("a ledger opens without creating a row kind, because each would lengthen every cold start", async () => {
  const noClient = {} as LedgerDeps["client"];
  const ledger = createLedger({
    client: noClient,
    tableName: "t",
    clock: systemClock,
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.alloc(32) }],
  });
  // The client is invalid, and the first row kind that uses it says so.
  await expect(ledger.checkTable()).rejects.toThrow("Invalid DynamoDB Document Client");
});
