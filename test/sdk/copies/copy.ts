import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import {
  EventLedger,
  memory,
  type Receipt,
  type ViewStore,
} from "../../../packages/sdk/src/index.ts";
import { postgres } from "../../../packages/sdk/src/stores/postgres.ts";
import { sqlite } from "../../../packages/sdk/src/stores/sqlite.ts";
import { type StoreKind, send, type Task } from "./messages.ts";
import { STREAM } from "./plan.ts";

/** A busy machine needs minutes for the copy of a process that was killed late. */
const LIMIT_MS = 900_000;

/** Keeps a copy of the stream until it is killed, and reports the copy on request. */
const { url, apiKey, place }: Task = JSON.parse(process.argv[2] ?? "");
const kind = process.argv[3] as StoreKind;

function openStore(): ViewStore<number> {
  if (kind === "memory") return memory<number>();
  if (kind === "SQLite") {
    const database = new DatabaseSync(place);
    database.exec("PRAGMA journal_mode = WAL");
    return sqlite<number>(database);
  }
  const pool = new pg.Pool({ connectionString: place, max: 2 });
  return postgres<number>({ query: (text, values) => pool.query(text, values) });
}

const ledger = new EventLedger({ url, apiKey, retry: { maxMs: 500 } });
const view = ledger.stream<{ n: number }>(STREAM).view<number, ViewStore<number>>({
  store: openStore(),
  toRow: ({ data }) => data?.n,
});
const reporting = setInterval(() => send({ kind: "progress", events: view.progress.applied }), 50);
process.on("message", async (last: Receipt) => {
  clearInterval(reporting);
  await view.ready({ timeoutMs: LIMIT_MS });
  await view.seen(last, { timeoutMs: LIMIT_MS });
  const rows: [string, number][] = [];
  for await (const row of view.entries()) rows.push(row);
  send({ kind: "copy", rows, round: view.progress.round });
});
