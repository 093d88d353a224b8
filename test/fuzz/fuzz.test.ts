import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";
import { operations } from "../contract/access/openapi-operations.ts";
import { type Answer, type Call, send } from "../contract/wire.ts";
import { count } from "../proof/record.ts";
import { DEPTH } from "../support/depth.ts";
import { SEED } from "../support/seed.ts";
import { checkAnswer } from "./check-answer.ts";
import { ERASURE_ID, EXPORT_ID, fill, type Handed, NAMES, ownerOf } from "./from-schema.ts";
import { neverAbsent } from "./optional-members.ts";
import { type FuzzRequest, requestsOf } from "./request.ts";
import { saveResult } from "./save-result.ts";

/**
 * Sends valid and hostile requests to every operation of the OpenAPI document. FUZZ_REQUESTS is
 * their number. SEED repeats a run, except for the order of concurrent requests. FUZZ_RESULTS names
 * a file for the results. `npm run test:deep` and `npm run test:fuzz` send more than `npm test`.
 */
const REQUESTS = Number(process.env.FUZZ_REQUESTS || 375 * DEPTH);
/**
 * In a longer run every operation must succeed once. Those that chance left out get up to this many
 * further rounds of their own, each with this number of requests per operation.
 */
const MORE_ROUNDS = REQUESTS < 750 ? 0 : 30;
const MORE_EACH = 20;
/** A member that occurs in this number of consecutive answers counts as always present. */
const OPTIONAL_FROM = 40;
/** The number of concurrent requests of each group. */
const AT_ONCE = 6;
const GROUP = 60;
const FURNISH_EVERY = 5 * GROUP;
const TRIES = 4;

type Published = { readonly events?: readonly { readonly sequence: number }[] };

let stack: Stack;
const handed: Handed = {
  cursor: [],
  listCursor: [],
  id: [],
  exportId: [],
  erasureId: [],
  parkedKey: [],
  consoleFile: [],
  cursorsOf: new Map(),
  parkedKeysOf: new Map(),
};
/** How often each operation gave each status. */
const answered = new Map<string, Map<number, number>>();
let chunked = 0;
let unavailable = 0;
let lost = 0;

beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `fuzz-${randomUUID()}` });
  const page = await (await fetch(`${stack.url}/console`)).text();
  for (const [, file] of page.matchAll(/assets\/([\w.-]+)/g)) keep(handed.consoleFile, file);
});
afterAll(() => stack?.stop());

/** Creates again what deletes have removed, so that every operation finds something. */
async function furnish(): Promise<void> {
  for (const name of NAMES.slice(0, 2)) {
    const [stream, subscription] = [`/streams/${name}`, `/streams/${name}/subscriptions/${name}`];
    const events = ["k1", "k2", "k3"].map((key) => ({ key, data: key }));
    await post("/streams", { name });
    // A short lease ends soon after a worker or a pusher took it, so commits of others succeed.
    await post(`${stream}/subscriptions`, { name, leaseSeconds: 1 });
    await post(subscription, { filter: null }, "PATCH");
    const receipt = (await post(`${stream}/events`, { events })).body as Published;
    remember(await post(`${stream}/exports`, {}), stream);
    remember(await post(`${stream}/erasures`, { key: "k0", reason: "fuzz" }), stream);
    // The stream may have several partitions, so an event needs its key as well.
    for (const [n, { sequence }] of (receipt.events ?? []).entries()) {
      const park = { sequence, key: events[n]?.key };
      remember(await post(`${subscription}/park`, park), subscription);
    }
    remember(await post(`${subscription}/poll`, {}), subscription);
    // A push that is enabled would take the leases of the subscription.
    await post(`${subscription}/push`, { url: "http://127.0.0.1:1/" }, "PUT");
    await post(`${subscription}/push/disable`, {});
  }
}

const post = (path: string, json: object, method: "POST" | "PUT" | "PATCH" = "POST") =>
  send(target(), {
    method,
    headers: { "content-type": "application/json" },
    path,
    body: JSON.stringify(json),
  });

const target = () => ({ baseUrl: stack.url, apiKey: stack.adminKey });

it(`${REQUESTS} generated requests are answered as documented (SEED=${SEED})`, {
  timeout: 120_000 + 100 * REQUESTS,
}, async () => {
  const began = performance.now();
  const requests = fc.oneof(
    ...operations.map((operation) => ({
      // Deletes are rare, because they leave little for the other operations.
      weight: operation.method === "DELETE" ? 1 : 5,
      arbitrary: requestsOf(operation),
    })),
  );
  for (let sent = 0; sent < REQUESTS; sent += GROUP) {
    if (sent % FURNISH_EVERY === 0) await furnish();
    await askAll(fc.sample(requests, { numRuns: GROUP, seed: SEED + sent }));
  }
  let more = 0;
  for (let round = 0; round < MORE_ROUNDS && neverSucceeded().length > 0; round++) {
    await furnish();
    const left = operations.filter(({ id }) => neverSucceeded().includes(id));
    const seed = SEED + REQUESTS + round;
    await askAll(left.flatMap((of) => fc.sample(requestsOf(of), { numRuns: MORE_EACH, seed })));
    more += left.length * MORE_EACH;
  }
  report(REQUESTS + more, Math.round((performance.now() - began) / 1_000));
  expect(lost, "closed connections").toBeLessThanOrEqual(REQUESTS / 100);
  expect(unavailable, "answers 503").toBeLessThanOrEqual(REQUESTS / 100);
  expect(neverAbsent(OPTIONAL_FROM), "always there, and not required").toEqual([]);
  if (MORE_ROUNDS > 0) expect(neverSucceeded(), "never answered with success").toEqual([]);
});

/** Sends requests, several at a time. */
async function askAll(waiting: FuzzRequest[]): Promise<void> {
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await ask(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const neverSucceeded = (): string[] =>
  operations
    .map(({ id }) => id)
    .filter((id) => ![...(answered.get(id)?.keys() ?? [])].some((status) => status < 300));

async function ask(request: FuzzRequest): Promise<void> {
  const { method, headers, body } = request;
  const owner = ownerOf(request.path);
  const path = fill(request.path, handed, owner);
  const content = typeof body === "string" ? fill(body, handed, owner) : body;
  try {
    const sent = content === undefined ? {} : { body: content, chunked: request.chunked };
    const call = { method, path, headers, ...sent };
    if (request.chunked) chunked++;
    let answer = await sendOn(call);
    // Every answer is checked, including one after which a client would retry.
    for (let tries = 1; answer.status === 503 && tries < TRIES; tries++) {
      take(request, answer);
      answer = await sendOn(call);
    }
    expect(answer.status, "the last of all tries is still 503").not.toBe(503);
    take(request, answer);
    remember(answer, owner);
  } catch (cause) {
    const shown = typeof content === "string" ? content : `${content?.length ?? 0} bytes`;
    const what =
      `${method} ${path} ${JSON.stringify(headers)} ${request.chunked ? "in chunks " : ""}${shown}`.slice(
        0,
        2_000,
      );
    throw new Error(`${cause}\n${what}`, { cause });
  }
}

function take(request: FuzzRequest, answer: Answer): void {
  const { status } = answer;
  const { id } = request.operation;
  if (status === 503) unavailable++;
  checkAnswer(request, answer);
  const counts = answered.get(id) ?? new Map<number, number>();
  answered.set(id, counts.set(status, (counts.get(status) ?? 0) + 1));
}

/**
 * Sends a request again when the server closed the connection, as every client with keep-alive
 * must. The server closes a connection on which too much of a refused body arrives.
 */
async function sendOn(call: Call): Promise<Answer> {
  try {
    return await send(target(), call);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ECONNRESET", "EPIPE"].includes(code)) throw error;
    lost++;
    return send(target(), call);
  }
}

const KEY_ID = /^[a-z0-9]{12}$/;
const REMEMBERED_MAX = 50;
const OWN_MAX = 5;

/** Stores the ids and cursors of an answer for later requests. New values replace the oldest. */
function remember({ status, body }: Answer, owner: string): void {
  if (status >= 300 || typeof body !== "object" || body === null) return;
  const { cursor, committed, id, events, key, parkedAt } = body as Record<string, unknown>;
  if (parkedAt !== undefined) {
    const own = handed.parkedKeysOf.get(owner) ?? [];
    keep(own, encodeURIComponent(String(key)), OWN_MAX);
    handed.parkedKeysOf.set(owner, own);
  }
  const isList = cursor !== undefined && !("events" in body) && !("items" in body);
  keep(isList ? handed.listCursor : handed.cursor, cursor);
  keep(handed.cursor, committed);
  if (!isList) {
    const own = handed.cursorsOf.get(owner) ?? [];
    keep(own, cursor, OWN_MAX);
    if (own.length > 0) handed.cursorsOf.set(owner, own);
  }
  // An event also has an id, which may contain any characters.
  if (events === undefined && KEY_ID.test(String(id))) keep(handed.id, id);
  if (EXPORT_ID.test(String(id))) keep(handed.exportId, id);
  if (ERASURE_ID.test(String(id))) keep(handed.erasureId, id);
}

function keep(known: string[], value: unknown, most = REMEMBERED_MAX): void {
  if (typeof value !== "string") return;
  known.push(value);
  if (known.length > most) known.shift();
}

function report(requests: number, seconds: number): void {
  const statuses: Record<string, number> = {};
  for (const counts of answered.values()) {
    for (const [status, count] of counts) statuses[status] = (statuses[status] ?? 0) + count;
  }
  const byOperation = Object.fromEntries(
    [...answered].map(([id, counts]) => [id, Object.fromEntries(counts)]),
  );
  const shown = { seed: SEED, requests, seconds, chunked, unavailable, lost, statuses };
  console.log(JSON.stringify(shown));
  const parts = [
    count(requests, "request"),
    `${chunked.toLocaleString("en-US")} of them chunked`,
    `${count(lost, "connection")} closed by the server after it refused the body`,
  ];
  const found = `no 5xx but ${count(unavailable, "answer")} of 503 that succeeded when sent again`;
  const said = { part: "Random requests over HTTP", ran: parts.join(", "), found };
  saveResult(process.env.FUZZ_RESULTS, said, {
    ...shown,
    neverSucceeded: neverSucceeded(),
    answers: byOperation,
  });
}
