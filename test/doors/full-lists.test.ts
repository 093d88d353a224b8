import { LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiGatewayEvent, functionUrlEvent } from "../infra/http-event.ts";
import { createFakeObjects } from "../simulation/objects/fake-objects.ts";
import { inTurns } from "../support/depth.ts";
import { operationsWithLists, problemsWithLists } from "./answers-with-lists.ts";
import { type Door, type DoorAnswer, lambdaDoor, openOnFake } from "./doors.ts";

/**
 * These tests fill lists with the largest entries that the API accepts. A control character grows
 * most: one byte of a cap is six in JSON and seven in the JSON for Lambda. An operation that
 * answers a list and is missing from these tables fails here.
 */
const full = (bytes: number, first = "") => first + "\u0001".repeat(bytes - first.length);
const pad = (n: number) => String(n).padStart(3, "0");
const long = (n: number, chars: number) => `${pad(n)}${"n".repeat(chars - 3)}`;

const opened = openOnFake([], createFakeObjects().objects());
const DOORS = [lambdaDoor(apiGatewayEvent, opened), lambdaDoor(functionUrlEvent, opened)] as const;
const [door] = DOORS;
afterAll(() => door.close());

const SUBSCRIPTIONS = 120;
const EVENTS = 24;

beforeAll(async () => {
  await post("/streams", { name: "s", description: full(LIMITS.descriptionBytesMax) });
  await post("/streams/s/subscriptions", { name: "reader" });
  await post("/streams/s/subscriptions", { name: "worked" });
  const data = '"'.repeat(LIMITS.eventBytesMax / 2 - 2_000);
  for (let n = 0; n < EVENTS; n += 4) {
    const keys = [n, n + 1, n + 2, n + 3].map((one) => full(LIMITS.keyBytesMax, pad(one)));
    await post("/streams/s/events", { events: keys.map((key) => ({ key, data })) });
  }
  while (!JSON.parse((await post("/streams/s/compact")).text).done);
});

/**
 * The largest answers of an operation: how to create them, where to request them, and their number.
 */
type Row = {
  readonly path: string;
  readonly member: string;
  readonly count: number;
  readonly make?: () => Promise<unknown>;
  /** The query parameter that continues the list, and how a page marks the end. */
  readonly next?: "cursor" | "from" | "after";
  readonly body?: (cursor: string | undefined) => object;
};

const STREAMS = 300;
const ERASURES = 60;

const largestErasure = (n: number) => ({
  key: full(LIMITS.keyBytesMax, pad(n)),
  reason: full(LIMITS.erasureReasonBytesMax),
});

const LISTS: Readonly<Record<string, Row>> = {
  listTenants: {
    path: "/tenants",
    member: "tenants",
    count: 500,
    make: () => each(500, (n) => post("/tenants", { name: long(n, LIMITS.tenantCharsMax) })),
  },
  listPushDeliveries: {
    path: "/streams/s/subscriptions/reader/push/deliveries",
    member: "deliveries",
    count: 8 * EVENTS,
    make: async () => {
      // Every run fails to reach the endpoint, and records the events of its first page.
      for (let run = 0; run < EVENTS; run++) {
        await door.ask({
          method: "PUT",
          path: "/streams/s/subscriptions/reader/push",
          body: { url: "https://shop.example/", concurrency: LIMITS.pushConcurrencyMax },
        });
        const [id] = await opened.ledger.listPushes();
        if (id !== undefined) await opened.ledger.runPush(id, { budgetMs: 9_000 });
      }
    },
  },
  listKeys: {
    path: "/keys",
    member: "keys",
    count: 500,
    make: () =>
      each(500, (n) =>
        post("/keys", {
          name: full(LIMITS.keyNameBytesMax, pad(n)),
          scopes: ["read", "consume", "operate"],
          streams: globs(),
          subscriptions: globs(),
          keyPrefix: full(LIMITS.keyBytesMax),
        }),
      ),
  },
  listErasures: {
    path: "/streams/erased/erasures",
    member: "erasures",
    count: ERASURES,
    make: async () => {
      await post("/streams", { name: "erased" });
      await each(ERASURES, (n) => post("/streams/erased/erasures", largestErasure(n)));
      const { text } = await door.ask({ method: "GET", path: "/streams/erased/erasures" });
      const bytes = JSON.stringify(JSON.parse(text).erasures[0]).length;
      expect(bytes * LIMITS.listMax).toBeLessThan(LIMITS.lambdaBytesMax * 0.8);
    },
  },
  listStreams: {
    path: "/streams",
    member: "streams",
    count: STREAMS + 2,
    make: () =>
      each(STREAMS, (n) =>
        post("/streams", {
          name: long(n, LIMITS.nameCharsMax),
          description: full(LIMITS.descriptionBytesMax),
        }),
      ),
  },
  listSubscriptions: {
    path: "/streams/s/subscriptions",
    member: "subscriptions",
    count: SUBSCRIPTIONS + 2,
    make: () =>
      each(SUBSCRIPTIONS, (n) =>
        post("/streams/s/subscriptions", {
          name: long(n, LIMITS.nameCharsMax),
          filter: largestFilter(),
        }),
      ),
  },
  listParked: {
    path: "/streams/s/subscriptions/worked/parked",
    member: "parked",
    count: EVENTS,
    make: () =>
      each(EVENTS, (n) =>
        post("/streams/s/subscriptions/worked/park", {
          sequence: n + 1,
          reason: full(LIMITS.parkReasonBytesMax),
        }),
      ),
  },
  listCompacted: { path: "/streams/s/compacted", member: "items", count: EVENTS },
  browseEvents: { path: "/streams/s/events", member: "events", count: EVENTS, next: "from" },
  poll: {
    path: "/streams/s/subscriptions/reader/poll",
    member: "events",
    count: EVENTS,
    next: "after",
  },
  commitAndPoll: {
    path: "/streams/s/subscriptions/reader/poll",
    member: "events",
    count: EVENTS,
    body: (cursor) => ({ limit: 1_000, ...(cursor === undefined ? {} : { commit: cursor }) }),
  },
};

const globs = () => Array.from({ length: LIMITS.keyStreamsMax }, (_, n) => `${long(n, 120)}*`);

/** The largest filter. The body that creates a subscription has at most 64 KiB. */
const largestFilter = () => ({
  types: Array.from({ length: LIMITS.filterTypesMax }, (_, n) => full(LIMITS.typeBytesMax, pad(n))),
  headers: { one: full(LIMITS.headerValueBytesMax), two: full(LIMITS.headerValueBytesMax) },
});

const FORMS = [
  ["application/json", "identity"],
  ["application/json", "gzip"],
  ["application/cloudevents-batch+json", "identity"],
  ["application/cloudevents-batch+json", "gzip"],
] as const;

/** Lists that are answered at once and have no further page. */
const WHOLE: Readonly<Record<string, () => Promise<DoorAnswer[]>>> = {
  getStream: () => everywhere("GET", "/streams/s"),
  createStream: () => everywhere("POST", "/streams", { name: "new" }),
  patchStream: async () => {
    await post("/streams", { name: "grown" });
    for (let partitions = 2; ; partitions = 3 - partitions) {
      const answers = await everywhere("PATCH", "/streams/grown", { partitions });
      // With 1 and 2 partitions in turn, this is the longest list of 96 partitions in all.
      if (JSON.parse(answers[0]?.text ?? "").epochs.length >= 60) return answers;
    }
  },
  getSubscription: async () => {
    const poll = `/streams/s/subscriptions/worked/poll`;
    const worker = (n: number) => long(n, LIMITS.consumerCharsMax);
    // All 256 workers would make an answer eight times as large, which is still a hundredth of the
    // limit.
    await each(LIMITS.consumersMax / 8, (n) => post(poll, { consumer: worker(n), limit: 1 }));
    return everywhere("GET", "/streams/s/subscriptions/worked");
  },
  listArchive: () => archived("/streams/kept/archive", "segments"),
  listExports: () => archived("/streams/kept/exports", "exports"),
  getExport: () => archived("/streams/kept/exports/{export}", "parts"),
  createExport: async () => {
    await archived("/streams/kept/exports", "exports");
    return everywhere("POST", "/streams/kept/exports", { view: "state" });
  },
  getUsage: async () => {
    const answers = await everywhere("GET", "/usage?by=stream");
    for (const { text } of answers) {
      const [entry] = JSON.parse(text).usage;
      const bytes = JSON.stringify(entry).length + LIMITS.nameCharsMax + 10 * 16;
      expect(bytes * LIMITS.usageMax).toBeLessThan(LIMITS.lambdaBytesMax / 2);
    }
    return answers;
  },
  checkSchemas: async () => {
    const next = await broken();
    return everywhere("POST", "/streams/checked/schemas/check", next, 200);
  },
  publishEvents: () => {
    const ids = Array.from({ length: LIMITS.requestEventsMax }, (_, n) => full(250, pad(n)));
    const events = ids.map((id) => ({ id, key: "many", data: 1 }));
    return everywhere("POST", "/streams/s/events", { events });
  },
};

/**
 * The entries of archives and exports have a bounded size, because names are the only texts of
 * clients in them. A page of 500 takes less than a tenth of the limit.
 */
async function archived(path: string, member: string): Promise<DoorAnswer[]> {
  await post("/streams", { name: "kept", partitions: 8, archiveDays: 1 });
  const events = Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, data: n }));
  await post("/streams/kept/events", { events });
  while (!JSON.parse((await post("/streams/kept/compact")).text).done);
  while (!JSON.parse((await post("/streams/kept/archive")).text).done);
  const made = JSON.parse((await post("/streams/kept/exports", {})).text);
  const answers = await everywhere("GET", path.replace("{export}", made.id));
  for (const answer of answers) {
    const entries: unknown[] = JSON.parse(answer.text)[member];
    expect(entries.length).toBeGreaterThan(0);
    const bytes = Math.max(...entries.map((entry) => JSON.stringify(entry).length));
    expect(bytes * LIMITS.listMax).toBeLessThan(LIMITS.lambdaBytesMax / 2);
  }
  return answers;
}

/** Creates schemas and readers, and returns schemas that break as much as an answer can list. */
async function broken(): Promise<object> {
  await post("/streams", { name: "checked" });
  const long = full(1_500, "p");
  const names = Array.from({ length: LIMITS.schemaDifferencesMax + 10 }, (_, n) => pad(n));
  const schemaOf = (minimum: number) => ({
    properties: { [long]: { properties: Object.fromEntries(names.map((n) => [n, { minimum }])) } },
  });
  const type = full(LIMITS.typeBytesMax, "t");
  await door.ask({
    method: "PUT",
    path: "/streams/checked/schemas",
    body: { schemas: { [type]: schemaOf(0) }, compatibility: "full" },
  });
  const reads = { [type]: [`/${full(340, "f")}`] };
  await each(LIMITS.brokenReadsMax + 5, (n) =>
    post("/streams/checked/subscriptions", { name: `reader-${pad(n)}`, reads }),
  );
  return { schemas: { [type]: { ...schemaOf(1), additionalProperties: false } } };
}

/** Problems that contain lists. */
const PROBLEMS: Readonly<Record<string, () => Promise<DoorAnswer[]>>> = {
  breaks: async () => everywhere("PUT", "/streams/checked/schemas", await broken(), 409),
  mismatches: () => {
    const keys = Array.from({ length: LIMITS.requestEventsMax }, (_, n) =>
      full(LIMITS.keyBytesMax, `other ${pad(n)}`),
    );
    const events = keys.map((key) => ({ key, data: 1, expectedSequence: 7 }));
    return everywhere("POST", "/streams/s/events", { events }, 412);
  },
};

it("[openapi.routes] the tests cover every operation that answers a list", () => {
  const known = [...Object.keys(LISTS), ...Object.keys(WHOLE)];
  expect(known.sort()).toEqual([...operationsWithLists].sort());
  expect(Object.keys(PROBLEMS)).toEqual(problemsWithLists);
});

describe.each(Object.entries(LISTS))("%s of the largest entries", (id, row) => {
  beforeAll(async () => row.make?.());

  const at = Object.keys(LISTS).indexOf(id);
  const forms = row.member === "events" ? FORMS : FORMS.slice(0, 2);
  it.each(forms.map(([accept, encoding], column) => ({ accept, encoding, column })))(
    "[list.page] every page fits through both entry points and is complete: $accept, $encoding",
    async ({ accept, encoding, column }) => {
      const form = [accept, encoding] as const;
      for (const [index, each] of inTurns([...DOORS.entries()], at + column)) {
        // A poll does not deliver again what a commit has passed, so a seek moves the subscription
        // back to the beginning.
        if (row.body !== undefined) {
          await post("/streams/s/subscriptions/reader/seek", { to: "earliest" });
        }
        expect(await countAll(each, row, form), `door ${index}`).toBe(row.count);
      }
    },
  );
});

it.each(Object.entries({ ...WHOLE, ...PROBLEMS }))(
  "[http.limits] the largest answer of %s fits through both entry points",
  async (_, answersOf) => {
    for (const answer of await answersOf()) assertFits(answer);
  },
);

async function countAll(at: Door, row: Row, [accept, encoding]: readonly [string, string]) {
  const { path, member, next = "cursor", body } = row;
  const headers = { accept, "accept-encoding": encoding };
  let count = 0;
  for (let cursor: string | undefined; ; ) {
    const goOn = cursor === undefined ? "" : `&${next}=${cursor}`;
    const stats = /^(streams|subscriptions)$/.test(member) ? "&include=stats" : "";
    const limit = member === "events" ? LIMITS.pageEventsMax : LIMITS.listMax;
    const answer = await at.ask(
      body === undefined
        ? { method: "GET", path, query: `limit=${limit}${stats}${goOn}`, headers }
        : { method: "POST", path, body: body(cursor), headers },
    );
    assertFits(answer);
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
    const page = JSON.parse(answer.text);
    const entries = Array.isArray(page) ? page : page[member];
    count += entries.length;
    const after = answer.headers["eventledger-cursor"] ?? page.cursor;
    const caughtUp = answer.headers["eventledger-caught-up"] ?? String(page.caughtUp);
    if (after === null || caughtUp === "true") return count;
    cursor = after;
  }
}

async function everywhere(method: string, path: string, body?: object, status = 300) {
  const answers = [];
  const [route = path, query = ""] = path.split("?");
  for (const each of DOORS) {
    const of = { method, path: route, query };
    const answer = await each.ask({ ...of, ...(body === undefined ? {} : { body }) });
    if (status === 300) expect(answer.status, answer.text.slice(0, 300)).toBeLessThan(status);
    else expect(answer.status, answer.text.slice(0, 300)).toBe(status);
    answers.push(answer);
  }
  return answers;
}

async function each(count: number, make: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await make(n);
}

async function post(path: string, body?: object): Promise<DoorAnswer> {
  const answer = await door.ask({ method: "POST", path, ...(body === undefined ? {} : { body }) });
  expect(answer.status, answer.text.slice(0, 500)).toBeLessThan(300);
  return answer;
}

/** Checks the size that Lambda receives, in whichever form. */
const assertFits = ({ sentBytes }: DoorAnswer): void =>
  expect(sentBytes).toBeLessThanOrEqual(LIMITS.lambdaBytesMax);
