import { randomInt, randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { operations } from "../contract/access/openapi-operations.ts";
import { type Answer, type Call, send } from "../contract/wire.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { checkAnswer } from "./check-answer.ts";
import { fill, type Handed, NAMES, ownerOf } from "./from-schema.ts";
import { type FuzzRequest, requestsOf } from "./request.ts";

/**
 * Drives every operation of the OpenAPI document with valid and hostile requests. FUZZ_REQUESTS says
 * how many, FUZZ_SEED repeats a run (as far as the order of simultaneous requests allows).
 */
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 1_500);
const SEED = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
/** Of each group, so many are under way at once. */
const AT_ONCE = 6;
const GROUP = 60;
const TRIES = 4;

let stack: Stack;
const handed: Handed = { cursor: [], listCursor: [], id: [], cursorsOf: new Map() };
/** How often each operation was answered with each status. */
const answered = new Map<string, Map<number, number>>();
let repeated = 0;
let lost = 0;

beforeAll(async () => {
  const endpoint = inject("dynamoEndpoint");
  stack = await startStack({ endpoint, tableName: `fuzz-${randomUUID()}` });
  for (const name of NAMES.slice(0, 2)) {
    const body = JSON.stringify({ name });
    const call = { method: "POST", headers: { "content-type": "application/json" }, body };
    await send(target(), { ...call, path: "/streams" });
    await send(target(), { ...call, path: `/streams/${name}/subscriptions` });
  }
});
afterAll(() => stack?.stop());

const target = () => ({ baseUrl: stack.url, apiKey: stack.adminKey });

it(`answers ${REQUESTS} generated requests as documented (FUZZ_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  const requests = fc.oneof(
    ...operations.map((operation) => ({
      // What deletes leaves little to do for the others.
      weight: operation.method === "DELETE" ? 1 : 5,
      arbitrary: requestsOf(operation),
    })),
  );
  for (let sent = 0; sent < REQUESTS; sent += GROUP) {
    const waiting = fc.sample(requests, { numRuns: GROUP, seed: SEED + sent });
    const work = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await ask(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
  report();
  expect(lost, "closed connections").toBeLessThanOrEqual(REQUESTS / 100);
  for (const { id } of operations) {
    const statuses = [...(answered.get(id)?.keys() ?? [])];
    expect(
      statuses.some((status) => status < 300),
      `${id} never succeeded`,
    ).toBe(true);
  }
});

async function ask(request: FuzzRequest): Promise<void> {
  const { operation, method, headers, body, chunked } = request;
  const owner = ownerOf(request.path);
  const path = fill(request.path, handed, owner);
  const content = typeof body === "string" ? fill(body, handed, owner) : body;
  try {
    const sent = content === undefined ? {} : { body: content, chunked };
    const call = { method, path, headers, ...sent };
    let answer = await sendOn(call);
    for (let tries = 1; answer.status === 503 && tries < TRIES; tries++) {
      repeated++;
      answer = await sendOn(call);
    }
    expect(answer.status, "503 to every try").not.toBe(503);
    checkAnswer(request, answer);
    remember(answer, owner);
    const counts = answered.get(operation.id) ?? new Map<number, number>();
    counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
    answered.set(operation.id, counts);
  } catch (cause) {
    const shown = typeof content === "string" ? content : `${content?.length ?? 0} bytes`;
    const what =
      `${method} ${path} ${JSON.stringify(headers)} ${chunked ? "in chunks " : ""}${shown}`.slice(
        0,
        2_000,
      );
    throw new Error(`${cause}\n${what}`, { cause });
  }
}

/**
 * Sends again what met a connection that the server was closing, as every client of kept connections
 * must: it closes those on which more of a refused body arrives than it is willing to throw away.
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

/** Keeps what an answer hands out, for later requests; the newest in the place of the oldest. */
function remember({ status, body }: Answer, owner: string): void {
  if (status >= 300 || typeof body !== "object" || body === null) return;
  const { cursor, committed, id, events } = body as Record<string, unknown>;
  const isList = cursor !== undefined && !("events" in body);
  keep(isList ? handed.listCursor : handed.cursor, cursor);
  keep(handed.cursor, committed);
  if (!isList) {
    const own = handed.cursorsOf.get(owner) ?? [];
    keep(own, cursor, OWN_MAX);
    if (own.length > 0) handed.cursorsOf.set(owner, own);
  }
  // An event has an id as well, of any characters.
  if (events === undefined && KEY_ID.test(String(id))) keep(handed.id, id);
}

function keep(known: string[], value: unknown, most = REMEMBERED_MAX): void {
  if (typeof value !== "string") return;
  known.push(value);
  if (known.length > most) known.shift();
}

function report(): void {
  const totals = new Map<number, number>();
  for (const counts of answered.values()) {
    for (const [status, count] of counts) totals.set(status, (totals.get(status) ?? 0) + count);
  }
  const sorted = [...totals]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${status}: ${count}`);
  console.log(
    `FUZZ_SEED=${SEED}, ${repeated} sent again after 503, ${lost} after a closed connection; ${sorted.join(", ")}`,
  );
}
