import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../../packages/local/src/http-server.ts";

/**
 * One server process. It prints its URL. With COMPACTOR it does not serve requests, and runs sweeps
 * instead.
 */
const { DYNAMODB_ENDPOINT: endpoint = "", TABLE_NAME: tableName = "", KEYS = "" } = process.env;
const opened = openLedger({
  endpoint,
  region: "us-east-1",
  tableName,
  adminKey: KEYS,
  cursorKey: KEYS,
});
/**
 * The interval between sweeps. Each sweep writes every changed key, so more frequent sweeps would
 * leave no time for other work.
 */
const SWEEP_MS = 5_000;
process.on("disconnect", () => process.exit(0));

if (process.env.COMPACTOR === undefined) {
  const { url } = await startServer(opened, { host: "127.0.0.1", port: 0 });
  process.send?.({ url });
} else {
  process.send?.({ url: "" });
  for (;;) {
    await opened.ledger
      .sweep()
      .catch((error: unknown) => process.send?.({ failed: String(error) }));
    await new Promise((resolve) => setTimeout(resolve, SWEEP_MS));
  }
}
