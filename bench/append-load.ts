/**
 * Publishes single events one after another in a separate process. Prints how long each took and
 * how many puts they needed.
 *
 * node append-load.ts <endpoint> <table> <stream> <seconds>
 */
import {
  defaultTenant,
  type IncomingEvent,
  LedgerError,
  type RawJson,
} from "../packages/core/src/index.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION } from "../packages/local/src/local-aws.ts";
import { meterCapacity } from "../test/support/capacity.ts";
import { orderEvents } from "../test/support/order-events.ts";
import { waitForStart } from "./run-child.ts";

export type Appends = {
  readonly latenciesMs: readonly number[];
  readonly puts: number;
  /** The number of publishes that were refused because other publishers were always faster. */
  readonly busy: number;
};

const [endpoint = "", tableName = "", stream = "", seconds = ""] = process.argv.slice(2);
const keys = { adminKey: "bench", cursorKey: "bench" };
const opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys });
const meter = meterCapacity(opened.client);
const events = orderEvents(1_000, process.pid).map(
  ({ data, ...attributes }): IncomingEvent => ({
    attributes,
    data: JSON.stringify(data) as RawJson,
  }),
);
await opened.ledger.getStream(defaultTenant, stream);
await waitForStart();

const latenciesMs: number[] = [];
let busy = 0;
const { requests } = await meter.measure(async () => {
  const stopAt = performance.now() + Number(seconds) * 1_000;
  for (let n = 0; performance.now() < stopAt; n++) {
    const sentAt = performance.now();
    try {
      await opened.ledger.publish(defaultTenant, stream, events.slice(n % 1_000, (n % 1_000) + 1));
      latenciesMs.push(performance.now() - sentAt);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "stream-busy") throw error;
      busy++;
    }
  }
});
opened.close();
console.log(JSON.stringify({ latenciesMs, puts: requests.PutItem ?? 0, busy } satisfies Appends));
