import fc from "fast-check";
import { expect, it } from "vitest";
import { operations } from "../contract/access/openapi-operations.ts";
import { ADMIN_KEY } from "../doors/doors.ts";
import { DEPTH } from "../support/depth.ts";
import { SEED } from "../support/seed.ts";
import { agree, type Doors } from "./doors/agree.ts";
import { bytesOf, type DoorRequest, KEYS, keyedRequests } from "./doors/keyed-requests.ts";
import type { WireRequest } from "./doors/wire-request.ts";
import { fill, type Handed, ownerOf } from "./from-schema.ts";
import { requestsOf } from "./request.ts";

/**
 * Sends the same generated requests through every entry point, each in front of its own ledger with
 * the same initial state. The answers must agree byte for byte, so that the ledgers stay alike. The
 * documented differences between entry points are in `documented.ts`. FUZZ_REQUESTS is the number
 * of requests for each entry point, and SEED repeats a run. A failure names the request.
 */
const REQUESTS = Number(process.env.FUZZ_REQUESTS || 125 * DEPTH);
const PER_RUN = 100;
const RUNS = Math.ceil(REQUESTS / PER_RUN);

const described: fc.Arbitrary<DoorRequest> = fc.oneof(
  ...operations.map((operation) => ({
    weight: operation.method === "DELETE" ? 1 : 5,
    arbitrary: requestsOf(operation).map(({ headers, ...request }) => ({
      ...request,
      headers: Object.entries(headers),
    })),
  })),
);
const requests = fc.oneof(
  { weight: 2, arbitrary: keyedRequests },
  { weight: 1, arbitrary: described },
);

const FURNISHING: readonly DoorRequest[] = [
  post("/streams", { name: "fuzz-a" }),
  post("/streams", { name: "fuzz-b", partitions: 4 }),
  post("/streams", { name: "other" }),
  post("/streams/fuzz-a/subscriptions", { name: "fuzz-a" }),
  post("/streams/fuzz-a/subscriptions", { name: "fuzz-b", start: "bootstrap" }),
  post("/streams/fuzz-a/events", { events: KEYS.map((key) => ({ key, data: { key } })) }),
  post("/streams/fuzz-a/compact"),
  ...KEYS.flatMap((_, at) =>
    at % 8 === 0 ? [post("/streams/fuzz-a/subscriptions/fuzz-a/park", { sequence: at + 1 })] : [],
  ),
];

it(`all entry points give the same answers to ${REQUESTS} generated requests (SEED=${SEED})`, {
  timeout: 60_000 + 200 * REQUESTS,
}, async () => {
  const counts: Record<string, number> = {};
  const asked = fc.array(requests, { minLength: PER_RUN, maxLength: PER_RUN });
  const property = fc.asyncProperty(asked, async (all) => {
    const doors = await agree(counts);
    const handed: Handed = {
      cursor: [],
      listCursor: [],
      id: [],
      exportId: [],
      erasureId: [],
      consoleFile: [],
      parkedKey: [],
      cursorsOf: new Map(),
      parkedKeysOf: new Map(),
    };
    try {
      for (const request of [...FURNISHING, ...all]) {
        remember(await ask(doors, toWire(request, handed)), handed);
      }
    } finally {
      await doors.close();
    }
  });
  const { errorInstance } = await fc.check(property, {
    seed: SEED,
    numRuns: RUNS,
    // Shrinking would take longer than reading the request that the error names.
    endOnFailure: true,
  });
  if (errorInstance !== null) throw errorInstance;
  console.log(JSON.stringify({ seed: SEED, requests: RUNS * PER_RUN, ...counts }));
  for (const met of MET) expect(counts[met] ?? 0, met).toBeGreaterThan(REQUESTS / 200);
});

async function ask(doors: Doors, request: WireRequest): Promise<string> {
  try {
    return await doors.ask(request);
  } catch (cause) {
    const { method, target, headers, body, chunked } = request;
    const size = `${body?.length ?? 0} bytes${chunked ? " in chunks" : ""}`;
    const shown = `${method} ${target} ${JSON.stringify(headers)} ${size} ${body ?? ""}`;
    throw new Error(`${cause}\n${shown.slice(0, 2_000)}`, { cause });
  }
}

/** Every run must have seen enough of these, or it proves nothing. */
const MET = ["succeeded", "repeated header", "replaced bytes noticed", "unclear path"];

function post(path: string, json?: object): DoorRequest {
  const body = json === undefined ? undefined : JSON.stringify(json);
  return { method: "POST", path, headers: [["content-type", "application/json"]], body };
}

function toWire(request: DoorRequest, handed: Handed): WireRequest {
  const { method, path, headers, body, chunked = false, gzip } = request;
  const owner = ownerOf(path);
  const content = typeof body === "string" ? fill(body, handed, owner) : body;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const has = (name: string) => names.has(name);
  return {
    method,
    target: fill(path, handed, owner),
    headers: [
      ...(has("authorization") ? [] : [["Authorization", `Bearer ${ADMIN_KEY}`] as const]),
      ...headers.filter(([name]) => name.toLowerCase() !== "host"),
    ],
    body: content === undefined ? undefined : bytesOf(content, gzip),
    chunked,
  };
}

/** Stores the ids and cursors of an answer for later requests. */
function remember(text: string, handed: Handed): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof body !== "object" || body === null) return;
  const { cursor, committed, id } = body as Record<string, unknown>;
  const isList = !("events" in body) && !("items" in body);
  for (const [known, value] of [
    [isList ? handed.listCursor : handed.cursor, cursor],
    [handed.cursor, committed],
    [handed.id, /^[a-z0-9]{12}$/.test(String(id)) ? id : undefined],
  ] as const) {
    if (typeof value === "string") known.push(value);
  }
}
