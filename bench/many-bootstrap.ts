import { setTimeout as sleep } from "node:timers/promises";
import { EventLedger, memory } from "../packages/sdk/src/index.ts";
import { orderEvents } from "../test/support/order-events.ts";
import { cpuOfTree } from "./process-cpu.ts";
import { startSeparateStack } from "./separate-stack.ts";

/** What reading the current state of all keys took, and the processor time of each program. */
export type Bootstrapped = {
  readonly seconds: number;
  readonly keysPerSecond: number;
  readonly cpuMsPerThousand: Readonly<Record<string, number>>;
};

export type BootstrapFigures = {
  readonly keys: number;
  readonly list: Bootstrapped;
  readonly listIn8Parts: Bootstrapped;
  readonly view: Bootstrapped;
};

const PAGE = 500;
const PARTS = 8;
const STREAM = "states";

/**
 * Reads the current state of `keys` keys from a local stack in a process of its own: as a list, as
 * a list in parts, and by the view of the SDK.
 */
export async function measureBootstraps(
  keys: number,
  say: (line: string) => void,
): Promise<BootstrapFigures> {
  const stack = await startSeparateStack("memory");
  try {
    const ledger = new EventLedger(stack);
    await fill(ledger, keys);
    say(`${keys} keys are compacted`);
    await settle(stack.pid);
    const read = async (what: string, run: () => Promise<number>): Promise<Bootstrapped> => {
      const before = cpuOfTree(stack.pid);
      const [began, own] = [performance.now(), process.cpuUsage()];
      const count = await run();
      const seconds = (performance.now() - began) / 1_000;
      if (count !== keys) throw new Error(`${count} keys instead of ${keys}`);
      const { user, system } = process.cpuUsage(own);
      const cpu: Record<string, number> = { client: perThousand((user + system) / 1_000, keys) };
      for (const [name, ms] of Object.entries(cpuOfTree(stack.pid))) {
        cpu[name] = perThousand(ms - (before[name] ?? 0), keys);
      }
      const figures = {
        seconds: Number(seconds.toFixed(2)),
        keysPerSecond: Math.round(keys / seconds),
        cpuMsPerThousand: cpu,
      };
      say(`${what}: ${JSON.stringify(figures)}`);
      return figures;
    };
    await listInParts(stack, 1);
    return {
      keys,
      list: await read("a list", () => listInParts(stack, undefined)),
      listIn8Parts: await read("a list in 8 parts", () => listInParts(stack, PARTS)),
      view: await read("a view", async () => {
        const view = ledger.stream(STREAM).view({ store: memory() });
        await view.ready({ timeoutMs: 900_000 });
        const count = [...view.entries()].length;
        await view.close();
        return count;
      }),
    };
  } finally {
    await stack.close();
  }
}

const LOOK_MS = 1_000;
const IDLE_MS = 100;
const LOOKS_MAX = 60;

/** Waits until the stack has nothing left to do in the background. */
async function settle(pid: number): Promise<void> {
  const total = () => Object.values(cpuOfTree(pid)).reduce((sum, ms) => sum + ms, 0);
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const before = total();
    await sleep(LOOK_MS);
    if (total() - before < IDLE_MS) return;
  }
}

const perThousand = (ms: number, keys: number): number => Number(((ms * 1_000) / keys).toFixed(1));

type Page = {
  readonly items: readonly unknown[];
  readonly cursor: string | null;
  readonly parts?: readonly string[];
};

/** Reads the list by bare requests, and all of its parts at the same time. */
async function listInParts(
  { url, apiKey }: { readonly url: string; readonly apiKey: string },
  parts: number | undefined,
): Promise<number> {
  let count = 0;
  const ask = async (query: string): Promise<Page> => {
    const at = `${url}/streams/${STREAM}/compacted?limit=${PAGE}${query}`;
    const response = await fetch(at, { headers: { Authorization: `Bearer ${apiKey}` } });
    const page = (await response.json()) as Page;
    count += page.items.length;
    return page;
  };
  const readOn = async (part: string): Promise<void> => {
    for (let cursor: string | null = part; cursor !== null; ) {
      ({ cursor } = await ask(`&cursor=${cursor}`));
    }
  };
  const first = await ask(parts === undefined ? "" : `&parts=${parts}`);
  await Promise.all((first.parts ?? (first.cursor === null ? [] : [first.cursor])).map(readOn));
  return count;
}

async function fill(ledger: EventLedger, keys: number): Promise<void> {
  await ledger.createStream(STREAM);
  const states = ledger.stream(STREAM);
  const events = orderEvents(1_000);
  for (let from = 0; from < keys; from += 1_000) {
    await states.publish(events.map(({ data }, n) => ({ key: `order-${from + n}`, data })));
  }
  await states.compact();
}
