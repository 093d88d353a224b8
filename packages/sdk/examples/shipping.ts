import { DatabaseSync } from "node:sqlite";
import { EventLedger } from "@eventledger/sdk";
import { sqlite } from "@eventledger/sdk/sqlite";

/** The shipping service. It keeps the orders of the other service in a table of its own. */
const { EVENTLEDGER_URL: url = "http://127.0.0.1:4000", EVENTLEDGER_API_KEY: apiKey = "" } =
  process.env;

type Order = { readonly total: number; readonly status: "placed" | "paid" };

const ledger = new EventLedger({ url, apiKey });
await using orders = ledger.stream<Order>("orders").view({
  store: sqlite<Order>(new DatabaseSync("shipping.db")),
  onStatus: (status, cause) => console.error(status, cause ?? ""),
});
await orders.ready();

const toShip = [...orders.entries()].filter(([, { status }]) => status === "paid");
console.log(`${[...orders.entries()].length} orders, ${toShip.length} of them to ship`);

if (process.argv[2] === "follow") {
  for await (const change of orders.changes()) {
    if (change.kind === "put" && change.row.status === "paid") console.log("ship", change.key);
  }
}
