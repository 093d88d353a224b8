import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../../packages/local/src/http-server.ts";

/** One server process; prints its URL. With COMPACTOR it serves nothing and sweeps. */
const { DYNAMODB_ENDPOINT: endpoint = "", TABLE_NAME: tableName = "", KEYS = "" } = process.env;
const opened = openLedger({
  endpoint,
  region: "us-east-1",
  tableName,
  adminKey: KEYS,
  cursorKey: KEYS,
});
/** Each sweep writes every key that has changed: more often, and there is time for nothing else. */
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
