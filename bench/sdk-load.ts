/**
 * Runs the SDK and bare HTTP alternately against one server. Prints the figures.
 *
 * node sdk-load.ts <url> <api key> <callers> <seconds> <keys>
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { EventLedger, memory } from "../packages/sdk/src/index.ts";
import { orderEvents } from "../test/support/order-events.ts";
import { waitForStart } from "./run-child.ts";

type Rates = { readonly perSecond: number; readonly cpuMsPerThousand: number };

export type SdkLoad = {
  readonly bareSingle: Rates;
  readonly bareBatches: Rates;
  readonly publisher: Rates;
  readonly bareList: Rates;
  readonly view: Rates & { readonly megabytes: number };
};

const [url = "", apiKey = "", callers = "", seconds = "", keys = ""] = process.argv.slice(2);
const ledger = new EventLedger({ url, apiKey });
const events = orderEvents(1_000);
const headers = { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" };
const WARM_UP_MS = 1_000;
const PAGE = 500;

await waitForStart();
const post = async (stream: string, body: string): Promise<void> => {
  const response = await fetch(`${url}/streams/${stream}/events`, {
    method: "POST",
    headers,
    body,
  });
  await response.text();
  if (response.status !== 201) throw new Error(`${response.status}`);
};
const eventOf = (n: number) => events[n % events.length] ?? { key: "none", data: 0 };

const bareSingle = await publishing("bare", (n) => post("bare", JSON.stringify(eventOf(n))));
await ledger.createStream("batches");
const batch = JSON.stringify({ events: events.slice(0, Number(callers)) });
const batches = await publishing("batches", () => post("batches", batch), 1);
const bareBatches = {
  perSecond: batches.perSecond * Number(callers),
  cpuMsPerThousand: batches.cpuMsPerThousand / Number(callers),
};
await ledger.createStream("sdk");
const out = ledger.stream("sdk").publisher({ lingerMs: 1 });
const publisher = await publishing("sdk", (n) => out.add(eventOf(n)));
await out.close();

await fill();
const bareList = await listing(async () => {
  let count = 0;
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${url}/streams/states/compacted?limit=${PAGE}${from}`, {
      headers,
    });
    const page = (await response.json()) as { items: unknown[]; cursor: string | null };
    count += page.items.length;
    cursor = page.cursor;
  }
  return count;
});
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
collectGarbage();
const before = process.memoryUsage().heapUsed;
const view = ledger.stream("states").view({ store: memory() });
const viewRates = await listing(async () => {
  await view.ready({ timeoutMs: 900_000 });
  return [...view.entries()].length;
});
collectGarbage();
const megabytes = (process.memoryUsage().heapUsed - before) / 2 ** 20;
await view.close();
const load: SdkLoad = {
  bareSingle: rounded(bareSingle),
  bareBatches: rounded(bareBatches),
  publisher: rounded(publisher),
  bareList: rounded(bareList),
  view: { ...rounded(viewRates), megabytes: Math.round(megabytes) },
};
console.log(JSON.stringify(load));

/** Each caller publishes its next event when its last one is durable. */
async function publishing(
  stream: string,
  publish: (n: number) => Promise<unknown>,
  most = Number(callers),
): Promise<Rates> {
  await ledger.createStream(stream);
  const from = performance.now() + WARM_UP_MS;
  const until = from + Number(seconds) * 1_000;
  let published = 0;
  let cpu = process.cpuUsage();
  setTimeout(() => {
    cpu = process.cpuUsage();
  }, WARM_UP_MS);
  const caller = async (own: number): Promise<void> => {
    for (let n = own; performance.now() < until; n += most) {
      await publish(n);
      if (performance.now() >= from) published += 1;
    }
  };
  await Promise.all(Array.from({ length: most }, (_, own) => caller(own)));
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: published / Number(seconds),
    cpuMsPerThousand: (user + system) / published,
  };
}

async function listing(read: () => Promise<number>): Promise<Rates> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const count = await read();
  const { user, system } = process.cpuUsage(cpu);
  if (count !== Number(keys)) throw new Error(`${count} keys`);
  return {
    perSecond: count / ((performance.now() - began) / 1_000),
    cpuMsPerThousand: (user + system) / count,
  };
}

async function fill(): Promise<void> {
  await ledger.createStream("states");
  const states = ledger.stream("states");
  for (let from = 0; from < Number(keys); from += 1_000) {
    await states.publish(
      Array.from({ length: 1_000 }, (_, n) => ({
        key: `order-${from + n}`,
        data: eventOf(from + n).data,
      })),
    );
  }
  await states.compact();
}

function rounded({ perSecond, cpuMsPerThousand }: Rates): Rates {
  return {
    perSecond: Math.round(perSecond),
    cpuMsPerThousand: Number(cpuMsPerThousand.toFixed(1)),
  };
}
