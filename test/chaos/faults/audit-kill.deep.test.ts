import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KillableStack, startKillableStack } from "./kill-stack.ts";

const CLIENTS = 4;
/** Kills are repeated until one has hit a request between its two entries. */
const KILLS = { least: 3, most: 20 };
const UNDER_LOAD_MS = 400;

type Entry = { readonly requestId: string; readonly outcome: string };
type Page = { events: { data: Entry }[]; cursor: string; caughtUp: boolean };
type Keys = { keys: { name: string }[]; cursor: string | null };

let dataFolder: string;
let stack: KillableStack;

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), "eventledger audit "));
  stack = await startKillableStack(dataFolder);
});

afterAll(async () => {
  stack?.kill();
  await sleep(1_000);
  await rm(dataFolder, { recursive: true, force: true });
});

function send(path: string, { requestId, body }: { requestId?: string; body?: object } = {}) {
  return fetch(`${stack.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "content-type": "application/json",
      ...(requestId === undefined ? {} : { "x-request-id": requestId }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function get<T>(path: string): Promise<T> {
  const answer = await send(path);
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

/** Returns the outcomes that the audit stream has of each request. */
async function readAudit(): Promise<Map<string, string[]>> {
  const outcomes = new Map<string, string[]>();
  for (let from = "earliest"; ; ) {
    const page = await get<Page>(`/streams/_audit/events?limit=1000&from=${from}`);
    for (const { data } of page.events) {
      outcomes.set(data.requestId, [...(outcomes.get(data.requestId) ?? []), data.outcome]);
    }
    if (page.caughtUp) return outcomes;
    from = page.cursor;
  }
}

async function readKeyNames(): Promise<Set<string>> {
  const names = new Set<string>();
  for (let cursor = ""; ; ) {
    const page = await get<Keys>(`/keys?limit=500${cursor && `&cursor=${cursor}`}`);
    for (const { name } of page.keys) names.add(name);
    if (page.cursor === null) return names;
    cursor = page.cursor;
  }
}

it("[audit.first] [audit.end] a server that is killed leaves no change without its begin", {
  timeout: 300_000,
}, async () => {
  const sent: string[] = [];
  const acknowledged: string[] = [];
  let isOver = false;
  // The name of each key is the id of the request that makes it.
  const work = async () => {
    while (!isOver) {
      const requestId = randomUUID();
      sent.push(requestId);
      const body = { name: requestId, scopes: ["read"], streams: ["*"] };
      const status = await send("/keys", { requestId, body }).then(
        async (answer) => (await answer.arrayBuffer()) && answer.status,
        () => 0,
      );
      if (status === 201) acknowledged.push(requestId);
      if (status === 0) await sleep(20);
    }
  };
  const clients = Array.from({ length: CLIENTS }, work);
  const isOpen = (outcomes: readonly string[]) => outcomes.join() === "begun";
  // The audit stream begins with the first entry.
  while (acknowledged.length === 0) await sleep(20);
  let kills = 0;
  for (let open = 0; kills < KILLS.least || (open === 0 && kills < KILLS.most); kills++) {
    await sleep(UNDER_LOAD_MS);
    await stack.killServer();
    // Requests of the new server are begun only for a moment.
    await sleep(UNDER_LOAD_MS);
    open = [...(await readAudit()).values()].filter(isOpen).length;
  }
  isOver = true;
  await Promise.all(clients);

  const [audit, names] = [await readAudit(), await readKeyNames()];
  const of = (requestId: string) => audit.get(requestId)?.join(" ");
  for (const requestId of acknowledged) expect(of(requestId)).toBe("begun done");
  for (const requestId of sent) {
    expect(["begun", "begun done", undefined]).toContain(of(requestId));
    if (of(requestId) === undefined) expect(names.has(requestId)).toBe(false);
  }
  for (const name of names) expect(audit.has(name)).toBe(true);
  const cut = sent.filter((requestId) => of(requestId) === "begun");
  const made = cut.filter((requestId) => names.has(requestId)).length;
  console.log(
    `${kills} kills, ${sent.length} requests, ${cut.length} without an end, ${made} of them carried out`,
  );
  expect(cut.length).toBeGreaterThan(0);
});
