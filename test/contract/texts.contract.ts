import type { InvalidField, Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, newName } from "./client.ts";
import type { Answer, Target } from "./wire.ts";

/** Tests that a refusal says what is wrong, where, and what to do next. */
export function textsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("[error.problem] a refusal says what is wrong and what to do", () => texts(api));
}

const TOO_LONG = "9".repeat(17);

/** Integers in queries, each with the expected text for one with too many digits. */
const INTEGERS: readonly [path: string, name: string, bounds: string][] = [
  ["/events", "limit", "from 1 to 1000"],
  ["/events", "last", "from 1 to 1000"],
  ["/events", "waitSeconds", "from 0 to 20"],
  ["/events", "sequence", `from 1 to ${Number.MAX_SAFE_INTEGER}`],
  ["/subscriptions", "limit", "from 1 to 500"],
  ["/subscriptions/s/poll", "limit", "from 1 to 1000"],
  ["/subscriptions/s/poll", "waitSeconds", "from 0 to 20"],
  ["/subscriptions/s/parked", "limit", "from 1 to 500"],
  ["/compacted", "limit", "from 1 to 500"],
];

/** Parameters of every route with a query, each sent twice. */
const REPEATED: readonly [path: string, query: string][] = [
  ["/events", "limit=1&limit=2"],
  ["/events", "from=earliest&from=latest"],
  ["/events", "order=asc&order=desc"],
  ["/events", "key=a&key=b"],
  ["/compacted", "keyPrefix=a&keyPrefix=b"],
  ["/compacted", "key=a&key=b"],
  ["/subscriptions", "include=stats&include=stats"],
  ["/subscriptions/s/poll", "consumer=a&consumer=b"],
  ["/subscriptions/s/parked", `cursor=${"A".repeat(24)}&cursor=${"B".repeat(24)}`],
];

function texts(api: Client): void {
  let stream: string;
  const json = { "content-type": "application/json" };
  const get = (path: string) => api.send({ path: at(stream) + path });
  const post = (path: string, body: object, headers = {}) =>
    api.send({
      method: "POST",
      path,
      headers: { ...json, ...headers },
      body: JSON.stringify(body),
    });
  const problemOf = ({ body }: Answer) => body as Problem;
  const says = (answer: Answer, ...errors: InvalidField[]) => {
    expect(problemOf(answer).errors).toEqual(errors);
  };

  beforeAll(async () => {
    stream = await api.newStream();
    await api.publish(
      stream,
      [1, 2, 3].map((data) => ({ key: "k", data })),
    );
    await api.createSubscription(stream, { name: "s" });
  });

  it.each(INTEGERS)("%s?%s= of 17 digits: %s", async (path, name, bounds) => {
    const query = `${name}=${TOO_LONG}${name === "sequence" ? "&key=k" : ""}`;
    const detail = `must be an integer ${bounds}`;
    says(await get(`${path}?${query}`), { pointer: `/query/${name}`, detail });
  });

  it.each(REPEATED)("%s?%s", async (path, query) => {
    const [name] = query.split("=");
    says(await get(`${path}?${query}`), { pointer: `/query/${name}`, detail: "must be sent once" });
  });

  it("an If-Match that is no sequence", async () => {
    const detail = `must be one sequence from 0 to ${Number.MAX_SAFE_INTEGER}, as in "42", or the ETag of the current state of the key`;
    for (const value of [TOO_LONG, `"${TOO_LONG}"`, "x"]) {
      const answer = await post(
        `${at(stream)}/events`,
        { key: "k", data: 1 },
        { "if-match": value },
      );
      says(answer, { pointer: "/headers/if-match", detail });
    }
  });

  it("[place.beyond] a sequence beyond the end, and a number that is a time", async () => {
    const beyond = "is beyond the end of the stream, where the next event gets the sequence 4.";
    const subscription = at(stream, "s");
    for (const [sequence, remedy] of [
      [9, "Name an earlier one"],
      [1_764_000_000, "A time is written as in 2026-11-24T08:30:00Z"],
      [1_764_000_000_000, "A time is written as in 2026-11-24T08:30:00Z"],
    ] as const) {
      const detail = `${beyond} ${remedy}`;
      says(await get(`/events?from=${sequence}`), { pointer: "/query/from", detail });
      says(await get(`/events?until=${sequence}`), { pointer: "/query/until", detail });
      for (const [pointer, path, body] of [
        ["/sequence", `${subscription}/commit`, { sequence }],
        ["/commit/sequence", `${subscription}/poll`, { commit: { sequence } }],
        ["/to", `${subscription}/seek`, { to: { sequence } }],
        ["/start", `${at(stream)}/subscriptions`, { name: newName(), start: { sequence } }],
        ["/sequence", `${subscription}/park`, { sequence }],
      ] as const) {
        says(await post(path, body), { pointer, detail });
      }
    }
  });

  it("[http.empty-body] a commit that names nothing", async () => {
    const detail =
      "is required: the cursor of a page. On a stream with one partition `sequence` may be sent instead";
    says(await post(`${at(stream, "s")}/commit`, {}), { pointer: "/cursor", detail });
    says(await api.send({ method: "POST", path: `${at(stream, "s")}/commit` }), {
      pointer: "/cursor",
      detail,
    });
  });

  it("[publish.expected-lag] an expectation on a stream without compaction", async () => {
    const uncompacted = await api.newStream({ compaction: "none" });
    for (const [event, headers] of [
      [{ expectedSequence: 0 }, {}],
      [{}, { "if-match": '"0"' }],
      [{}, { "if-none-match": "*" }],
    ] as const) {
      const body = { key: "k", data: 1, ...event };
      const problem = problemOf(await post(`${at(uncompacted)}/events`, body, headers));
      expect(problem).toMatchObject({
        code: "not-compacted",
        detail:
          'The stream was created with compaction "none". So the last sequence of a key is not known. Publish without an expectation.',
      });
    }
    expect((await api.browse(uncompacted)).body.events).toEqual([]);
  });

  it("[lease.fencing] a commit without a worker's name, by cursor and by sequence", async () => {
    await api.createSubscription(stream, { name: "workers" });
    const { body: plain } = await api.poll(stream, "workers");
    await api.poll(stream, "workers", { consumer: "one" });
    for (const body of [{ sequence: 3 }, { cursor: plain.cursor }]) {
      expect(problemOf(await post(`${at(stream, "workers")}/commit`, body))).toMatchObject({
        code: "lease-lost",
        detail:
          "A worker holds what this commit covers, or part of it, which is not committed, because the commit names no worker. Poll with `consumer`, and commit the cursor of that page.",
      });
    }
    expect((await api.getSubscription(stream, "workers")).lag.events).toBe(3);
  });

  it("[key.rights] a key with more rights than its maker, right by right", async () => {
    const made = problemOf(
      await post("/keys", {
        name: "maker",
        scopes: ["admin", "read"],
        streams: ["orders*"],
        subscriptions: ["eu.*"],
        keyPrefix: "eu/",
      }),
    ) as unknown as { apiKey: string; id: string };
    const authorization = `Bearer ${made.apiKey}`;
    const ask = (body: object) => post("/keys", { name: "more", ...body }, { authorization });
    const more = await ask({
      scopes: ["read", "publish"],
      streams: ["orders", "billing"],
      subscriptions: ["eu.a", "us.*"],
      keyPrefix: "us/",
    });
    expect(problemOf(more).code).toBe("forbidden");
    const detail = "is not covered by your own API key";
    const prefix = 'must begin with "eu/", as your own does';
    says(
      more,
      { pointer: "/scopes/1", detail: "is not a scope of your own API key" },
      { pointer: "/streams/1", detail },
      { pointer: "/subscriptions/1", detail },
      { pointer: "/keyPrefix", detail: prefix },
    );
    says(
      await ask({ scopes: ["read"], streams: ["orders"] }),
      {
        pointer: "/subscriptions",
        detail: "is required: your own API key is bound to subscriptions",
      },
      { pointer: "/keyPrefix", detail: prefix },
    );
    await api.send({ method: "DELETE", path: `/keys/${made.id}` });
  });
}
