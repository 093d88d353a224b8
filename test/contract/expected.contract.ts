import type { NewEvent, Problem } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { Refused, refusal, type Target } from "./wire.ts";

/** Tests conditional publishing. */
export function expectedContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("expecting sequences on a stream of %i partitions", (partitions) => {
    describe("of a key", () => ofOneKey(api, partitions));
    describe("of several keys", () => ofSeveralKeys(api, partitions));
    describe("among rivals", () => amongRivals(api, partitions));
  });
  describe("expecting sequences in a request", () => requests(api));
}

const mismatchesOf = (problem: Problem) => problem.mismatches;
const lastOf = (receipt: { events: readonly { sequence: number }[] }) =>
  receipt.events.at(-1)?.sequence ?? 0;

const published = async (api: Client, stream: string, event: NewEvent | readonly NewEvent[]) =>
  lastOf((await api.publish(stream, event)).body);

function ofOneKey(api: Client, partitions: number): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream({ partitions });
    await api.publish(
      stream,
      [1, 2, 3, 4, 5, 6].map((n) => ({ key: `other-${n}`, data: n })),
    );
  });

  it.each([["compacted"], ["not compacted"]])(
    "[publish.expected] a publish is written after the expected last event that is %s, and after no other",
    async (state) => {
      const key = `key ${state}`;
      const first = await published(api, stream, { key, data: 1 });
      if (state === "compacted") await api.compact(stream);
      for (const expectedSequence of [first + 1, first - 1, first + 1_000_000, 1e15]) {
        const problem = await refusal(
          api.publish(stream, { key, data: 2, expectedSequence }),
          "sequence-mismatch",
        );
        expect(mismatchesOf(problem)).toEqual([
          { key, expectedSequence, sequence: first, deleted: false },
        ]);
      }
      const second = await published(api, stream, { key, data: 2, expectedSequence: first });
      expect(second).toBeGreaterThan(first);
      await refusal(
        api.publish(stream, { key, data: 3, expectedSequence: first }),
        "sequence-mismatch",
      );
      const ifMatch = { headers: { "if-match": `"${second}"` } };
      const third = lastOf((await api.publish(stream, { key, data: 3 }, ifMatch)).body);
      await refusal(api.publish(stream, { key, data: 4 }, ifMatch), "sequence-mismatch");
      const kept = (await api.readAll(stream)).filter((event) => event.key === key);
      expect(kept.map(({ data }) => data)).toEqual([1, 2, 3]);
      expect(kept.map(({ sequence }) => sequence)).toEqual([first, second, third]);
    },
  );

  it.each([
    ["0", (key: string) => api.publish(stream, { key, data: 1, expectedSequence: 0 })],
    ["null", (key: string) => api.publish(stream, { key, data: 1, expectedSequence: null })],
    [
      "If-None-Match: *",
      (key: string) => api.publish(stream, { key, data: 1 }, { headers: { "if-none-match": "*" } }),
    ],
  ])("[publish.expected-none] asks with %s for no current state", async (how, publish) => {
    const key = `none by ${how}`;
    const first = lastOf((await publish(key)).body);
    const there = await refusal(publish(key), "sequence-mismatch");
    expect(mismatchesOf(there)).toEqual([
      { key, expectedSequence: 0, sequence: first, deleted: false },
    ]);
    await api.compact(stream);
    await refusal(publish(key), "sequence-mismatch");
    await published(api, stream, { key, data: null });
    const again = lastOf((await publish(key)).body);
    expect(again).toBeGreaterThan(first);
    const tombstone = await published(api, stream, { key, data: null, expectedSequence: again });
    await api.compact(stream);
    const wrong = await refusal(
      api.publish(stream, { key, data: 1, expectedSequence: again }),
      "sequence-mismatch",
    );
    expect(mismatchesOf(wrong)).toMatchObject([{ sequence: tombstone, deleted: true }]);
    await publish(key);
  });

  it("[publish.expected-none] the sequence of a tombstone can be expected too", async () => {
    const key = "deleted";
    await published(api, stream, { key, data: 1 });
    const expectedSequence = await published(api, stream, { key, data: null });
    await published(api, stream, { key, data: 2, expectedSequence });
  });

  it("[publish.expected] the ETag of a current state can be expected, only in its life", async () => {
    const own = await api.newStream({ partitions });
    await published(api, own, { key: "k", data: 1 });
    await api.compact(own);
    const etag = (await api.getCompacted(own, "k")).header("etag");
    const weak = etag.startsWith("W/") ? etag : `W/${etag}`;
    const ifMatch = { headers: { "if-match": partitions === 1 ? etag : weak } };
    await api.publish(own, { key: "k", data: 2 }, ifMatch);
    await refusal(api.publish(own, { key: "k", data: 3 }, ifMatch), "sequence-mismatch");
    await api.deleteStream(own);
    await api.createStream({ name: own, partitions });
    const sequence = await published(api, own, { key: "k", data: 1 });
    const problem = await refusal(
      api.publish(own, { key: "k", data: 2 }, ifMatch),
      "sequence-mismatch",
    );
    expect(mismatchesOf(problem)).toMatchObject([{ key: "k", sequence }]);
  });

  it("[publish.expected-idempotent] a retry of a success gets the same answer, even if the key has changed since", async () => {
    const key = "retried";
    const first = await published(api, stream, { key, data: 1 });
    const event = { key, data: 2, expectedSequence: first };
    const idempotencyKey = `expected-${partitions}`;
    const { status, body } = await api.publish(stream, event, { idempotencyKey });
    expect(status).toBe(201);
    const replay = () => api.publish(stream, event, { idempotencyKey });
    expect(await replay()).toMatchObject({ status: 200, body: { events: body.events } });
    const later = await published(api, stream, { key, data: 3, expectedSequence: lastOf(body) });
    expect(await replay()).toMatchObject({ status: 200, body: { events: body.events } });
    const other = { ...event, expectedSequence: later };
    await refusal(api.publish(stream, other, { idempotencyKey }), "idempotency-key-reused");
  });

  it("[publish.expected-idempotent] a mismatch settles no Idempotency-Key", async () => {
    const key = "settled";
    const idempotencyKey = `unsettled-${partitions}`;
    const event = { key, data: 1, expectedSequence: 0 };
    await published(api, stream, { key, data: 0 });
    await refusal(api.publish(stream, event, { idempotencyKey }), "sequence-mismatch");
    await published(api, stream, { key, data: null });
    expect((await api.publish(stream, event, { idempotencyKey })).status).toBe(201);
  });
}

function ofSeveralKeys(api: Client, partitions: number): void {
  const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);

  it("[publish.expected] all events are written if all expectations hold, otherwise none, and each mismatch is named", async () => {
    const stream = await api.newStream({ partitions });
    const first = await api.publish(
      stream,
      keys.map((key) => ({ key, data: 1 })),
    );
    const sequences = new Map(keys.map((key, n) => [key, first.body.events[n]?.sequence ?? 0]));
    const eventsOf = (wrong: readonly string[]): NewEvent[] =>
      keys.map((key) => ({
        key,
        data: 2,
        expectedSequence: (sequences.get(key) ?? 0) + (wrong.includes(key) ? 1 : 0),
      }));
    for (const wrong of [["k0"], ["k11"], ["k3", "k7"], keys]) {
      const problem = await refusal(api.publish(stream, eventsOf(wrong)), "sequence-mismatch");
      const named = (mismatchesOf(problem) as { key: string; sequence: number }[]).map(
        ({ key, sequence }) => [key, sequence],
      );
      expect(named).toEqual(wrong.map((key) => [key, sequences.get(key)]));
    }
    expect(await api.readAll(stream)).toHaveLength(keys.length);
    await api.publish(stream, eventsOf([]));
    expect(await api.readAll(stream)).toHaveLength(2 * keys.length);
  });

  it("[publish.expected] a request may also contain keys without an expectation", async () => {
    const stream = await api.newStream({ partitions });
    const events = keys.map((key, n) => ({
      key,
      data: 1,
      ...(n % 2 === 0 ? { expectedSequence: 0 } : {}),
    }));
    await api.publish(stream, [...events, { key: "k0", data: 2 }]);
    const problem = await refusal(api.publish(stream, events), "sequence-mismatch");
    expect(mismatchesOf(problem)).toHaveLength(6);
  });
}

function amongRivals(api: Client, partitions: number): void {
  it("[publish.expected] one of many publishers with the same expectation succeeds, and the others learn its sequence", async () => {
    const stream = await api.newStream({ partitions });
    for (let round = 0, expectedSequence = 0; round < 4; round++) {
      const tries = await Promise.allSettled(
        Array.from({ length: 16 }, (_, n) =>
          api.publish(stream, [
            { key: "k", data: n, expectedSequence },
            { key: `side ${n}`, data: round },
          ]),
        ),
      );
      const won = tries.flatMap((each) => (each.status === "fulfilled" ? [each.value.body] : []));
      expect(won).toHaveLength(1);
      const sequence = won[0]?.events[0]?.sequence ?? 0;
      for (const each of tries) {
        if (each.status === "fulfilled") continue;
        if (!(each.reason instanceof Refused)) throw each.reason;
        expect(each.reason.answer.body).toMatchObject({
          code: "sequence-mismatch",
          mismatches: [{ key: "k", expectedSequence, sequence }],
        });
      }
      expectedSequence = sequence;
    }
  });

  it("[publish.expected] no update of clients that read, add and write is lost", async () => {
    const stream = await api.newStream({ partitions });
    const [WORKERS, ADDS] = [6, 5];
    const add = async (): Promise<void> => {
      for (let known = { sequence: 0, count: 0 }, tries = 0; tries < 200; tries++) {
        const event = { key: "sum", data: known.count + 1, expectedSequence: known.sequence };
        const problem = await api.publish(stream, event).then(
          () => undefined,
          (error: unknown) =>
            error instanceof Refused ? error.answer.body : Promise.reject(error),
        );
        if (problem === undefined) return;
        expect(problem.code).toBe("sequence-mismatch");
        const [{ data, sequence } = { data: 0, sequence: 0 }] = (
          await api.readAll(stream)
        ).reverse();
        known = { sequence, count: Number(data) };
      }
      throw new Error("never written");
    };
    const work = async () => {
      for (let n = 0; n < ADDS; n++) await add();
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    const counts = (await api.readAll(stream)).map(({ data }) => data);
    expect(counts).toEqual(Array.from({ length: WORKERS * ADDS }, (_, n) => n + 1));
  });
}

function requests(api: Client): void {
  let stream: string;
  beforeAll(async () => {
    stream = await api.newStream();
  });

  const refusedAt = async (
    body: NewEvent | readonly NewEvent[] | string,
    pointer: string,
    options: Parameters<Client["publish"]>[2] = {},
  ) => {
    const problem = await refusal(api.publish(stream, body, options), "invalid-request");
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer]);
  };

  it.each(["5, 6", "*", 'W/"5"', '"abc"', "abc", '"-1"', "1.5", '"99999999999999999"', '""'])(
    "[publish.expected] If-Match is refused: %s",
    async (value) => {
      await refusedAt({ key: "k", data: 1 }, "/headers/if-match", {
        headers: { "if-match": value },
      });
    },
  );

  it.each(["0", '"5"', '"*"'])("[publish.expected] If-None-Match is refused: %s", async (value) => {
    const headers = { "if-none-match": value };
    await refusedAt({ key: "k", data: 1 }, "/headers/if-none-match", { headers });
  });

  it("[publish.expected] headers are refused that do not apply to exactly one key", async () => {
    const two = [
      { key: "a", data: 1 },
      { key: "b", data: 1 },
    ];
    const match = { "if-match": '"0"' };
    await refusedAt(two, "/headers/if-match", { headers: match });
    await refusedAt({ key: "a", data: 1, expectedSequence: 0 }, "/headers/if-match", {
      headers: match,
    });
    await refusedAt({ key: "a", data: 1 }, "/headers/if-none-match", {
      headers: { ...match, "if-none-match": "*" },
    });
    const batch = { contentType: "application/cloudevents-batch+json", headers: match };
    await refusedAt("[]", "/headers/if-match", batch);
    expect(await api.readAll(stream)).toEqual([]);
  });

  it("[publish.expected] two expectations for one key are refused", async () => {
    const events = [
      { key: "a", data: 1, expectedSequence: 0 },
      { key: "b", data: 1, expectedSequence: 7 },
      { key: "a", data: 2, expectedSequence: 1 },
    ];
    await refusedAt(events, "/events/2/expectedSequence");
    const lines = events.map((event) => JSON.stringify(event)).join("\n");
    await refusedAt(lines, "/2/expectedSequence", { contentType: "application/x-ndjson" });
  });

  it.each([-1, 1.5, "5", 2 ** 53, true])(
    "[publish.expected] the sequence %j in an event is refused",
    async (expectedSequence) => {
      await refusedAt(JSON.stringify({ key: "k", data: 1, expectedSequence }), "/expectedSequence");
    },
  );

  it("[publish.expected] expectations work in NDJSON and CloudEvents", async () => {
    const own = await api.newStream();
    const line = (expectedSequence: number) =>
      `${JSON.stringify({ key: "k", data: 1, expectedSequence })}\n`;
    const ndjson = { contentType: "application/x-ndjson" };
    await api.publish(own, line(0), ndjson);
    await refusal(api.publish(own, line(0), ndjson), "sequence-mismatch");
    const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
    const binary = (match: string) => ({
      contentType: "application/json",
      headers: { ...ce, "ce-subject": "k", "if-match": match },
    });
    await refusal(api.publish(own, "2", binary('"7"')), "sequence-mismatch");
    await api.publish(own, "2", binary('"1"'));
    expect((await api.readAll(own)).map(({ data }) => data)).toEqual([1, 2]);
  });

  it("[publish.expected-lag] a stream without compacted state takes no expectations", async () => {
    const own = await api.newStream({ compaction: "none" });
    await refusal(api.publish(own, { key: "k", data: 1, expectedSequence: 0 }), "not-compacted");
    expect(await api.readAll(own)).toEqual([]);
  });
}
