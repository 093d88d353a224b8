import { DatabaseSync } from "node:sqlite";
import { sqliteOutbox } from "@eventledger/outbox";
import { EventLedger } from "@eventledger/sdk";

/** The orders service. It changes its table and adds the event in one transaction. */
const { EVENTLEDGER_URL: url = "http://127.0.0.1:4000", EVENTLEDGER_API_KEY: apiKey = "" } =
  process.env;
const wanted = Number(process.argv[2] ?? 500);

const database = new DatabaseSync("orders.db");
database.exec(`PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total INTEGER, status TEXT)`);
const outbox = sqliteOutbox({ database });
outbox.create();

function transact(work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function setStatus(id: string, total: number, status: "placed" | "paid"): void {
  transact(() => {
    database.prepare("INSERT OR REPLACE INTO orders VALUES (?, ?, ?)").run(id, total, status);
    const data = { total, status };
    outbox.add(database, { stream: "orders", key: id, type: `order.${status}`, data });
  });
}

function cancel(id: string): void {
  transact(() => {
    database.prepare("DELETE FROM orders WHERE id = ?").run(id);
    outbox.add(database, { stream: "orders", key: id, type: "order.cancelled", data: null });
  });
}

const ledger = new EventLedger({ url, apiKey });
await ledger.createStream("orders");
const relay = outbox.relay(ledger);
relay.catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

// After being killed, it continues where it stopped. The last order may be incomplete.
const orders = "SELECT count(*) AS placed FROM orders WHERE id <> 'order-cancelled'";
const { placed } = { ...database.prepare(orders).get() };
for (let n = Math.max(0, Number(placed) - 1); n < wanted; n++) {
  const id = `order-${n}`;
  setStatus(id, n, "placed");
  if (n % 3 === 0) setStatus(id, n, "paid");
  if (n % 10 === 9) {
    setStatus("order-cancelled", n, "placed");
    cancel("order-cancelled");
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
while (outbox.status().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`${wanted} orders, and everything is published`);
process.exit();
