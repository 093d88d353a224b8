import * as lib from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { createFakeDynamo, type FakeDynamoOptions } from "./fake-dynamodb.ts";
import { type Fault, faults } from "./faults.ts";
import { seededRandom } from "./seeded-random.ts";
import { createVirtualTime } from "./virtual-clock.ts";

const TableName = "ledger";
const key = (sk: string, pk = "p") => ({ pk, sk });
const absent = {
  ConditionExpression: "attribute_not_exists(#pk)",
  ExpressionAttributeNames: { "#pk": "pk" },
  ReturnValuesOnConditionCheckFailure: "ALL_OLD",
} as const;

const put = (sk: string, more: object = {}) =>
  new lib.PutCommand({ TableName, Item: { ...key(sk), ...more } });
const create = (sk: string, more: object = {}) =>
  new lib.PutCommand({ TableName, Item: { ...key(sk), ...more }, ...absent });
const get = (sk: string, ConsistentRead = true) =>
  new lib.GetCommand({ TableName, Key: key(sk), ConsistentRead });
const count = (sk: string) =>
  new lib.UpdateCommand({
    TableName,
    Key: key(sk),
    UpdateExpression: "ADD #n :one",
    ExpressionAttributeNames: { "#n": "n" },
    ExpressionAttributeValues: { ":one": 1 },
  });
const query = (more: object = {}) =>
  new lib.QueryCommand({
    TableName,
    KeyConditionExpression: "#pk = :pk",
    ExpressionAttributeNames: { "#pk": "pk" },
    ExpressionAttributeValues: { ":pk": "p" },
    ...more,
  });
const transaction = (puts: object[], ClientRequestToken?: string) =>
  new lib.TransactWriteCommand({
    TransactItems: puts.map((Item) => ({ Put: { TableName, Item: Item as never } })),
    ...(ClientRequestToken !== undefined && { ClientRequestToken }),
  });

/** Creates a store in virtual time and one process that uses it. */
const simulate = (options: Partial<FakeDynamoOptions> = {}) => {
  const seed = options.seed ?? 1;
  const time = createVirtualTime(seededRandom(`${seed}/time`));
  const fake = createFakeDynamo({
    tableName: TableName,
    time,
    latencyMs: (random) => 1 + random.fraction() * 9,
    timeoutMs: 1000,
    ...options,
    seed,
  });
  const process = time.process("a");
  return { time, fake, process, client: fake.client(process) };
};

const immediate = (options: Partial<FakeDynamoOptions> = {}) => {
  const fake = createFakeDynamo({ tableName: TableName, ...options });
  return { fake, client: fake.client() };
};

const nameOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (!(error instanceof Error)) return "unknown";
    return "code" in error ? String(error.code) : error.name;
  }
};

describe("the fake DynamoDB, undisturbed", () => {
  it("a failed condition shows its item in the wire format", async () => {
    const { client } = immediate();
    await client.send(create("1", { a: 5, b: new Uint8Array([7]) }));
    await expect(client.send(create("1"))).rejects.toMatchObject({
      name: "ConditionalCheckFailedException",
      Item: { pk: { S: "p" }, a: { N: "5" }, b: { B: new Uint8Array([7]) } },
    });
  });

  it("a cancelled transaction gives its reasons by position, and writes nothing", async () => {
    const { fake, client } = immediate();
    await client.send(put("2", { a: 1 }));
    const both = [{ Item: key("1") }, { Item: key("2") }, { Item: key("3") }];
    const TransactItems = both.map(({ Item }) => ({ Put: { TableName, Item, ...absent } }));
    await expect(
      client.send(new lib.TransactWriteCommand({ TransactItems })),
    ).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [
        { Code: "None" },
        { Code: "ConditionalCheckFailed", Item: { a: { N: "1" } } },
        { Code: "None" },
      ],
    });
    expect(fake.items()).toHaveLength(1);
  });

  it("stored items are separate from what callers hold", async () => {
    const { fake, client } = immediate();
    const bytes = new Uint8Array([1]);
    await client.send(put("1", { bytes }));
    bytes[0] = 9;
    const { Item } = (await client.send(get("1"))) as { Item: { bytes: Uint8Array } };
    expect(Item.bytes).toEqual(new Uint8Array([1]));
    Item.bytes[0] = 9;
    expect(fake.peek(key("1"))?.bytes).toEqual(new Uint8Array([1]));
  });

  it("two different lone surrogates become one key, as in UTF-8", async () => {
    const { fake, client } = immediate();
    await client.send(put("\ud800"));
    await client.send(put("\udfff"));
    expect(fake.items()).toEqual([key("\ufffd")]);
  });

  it("a token is kept for ten minutes", async () => {
    let nowMs = 0;
    const { fake, client } = immediate({ nowMs: () => nowMs });
    const once = transaction([{ ...key("1"), a: 1 }], "token");
    await client.send(once);
    await client.send(put("1", { a: 2 }));
    nowMs = 600_000;
    await client.send(once);
    expect(fake.peek(key("1"))).toMatchObject({ a: 2 });
    expect(await nameOf(client.send(transaction([key("9")], "token")))).toBe(
      "IdempotentParameterMismatchException",
    );
    nowMs = 600_001;
    await client.send(once);
    expect(fake.peek(key("1"))).toMatchObject({ a: 1 });
  });

  const pad = (bytes: number) => "x".repeat(bytes);
  it.each([
    ["an item of 400 KiB", put("12", { d: pad(409_600 - 8) }), "ok"],
    ["one byte more", put("12", { d: pad(409_600 - 7) }), "ValidationException"],
    ["a partition key of 2,048 bytes", put("1", key("1", pad(2048))), "ok"],
    ["a longer one", put("1", key("1", pad(2049))), "ValidationException"],
    ["a sort key of 1,024 bytes", put(pad(1024)), "ok"],
    ["a longer one", put(pad(1025)), "ValidationException"],
    ["an empty key", put(""), "ValidationException"],
    ["100 items in a transaction", transaction(many(100)), "ok"],
    ["101 items", transaction(many(101)), "ValidationException"],
    ["one item twice", transaction([key("1"), key("1")]), "ValidationException"],
    ["over 4 MiB", transaction(many(12, pad(380_000))), "ValidationException"],
    [
      "an unused value",
      put("1"),
      "ValidationException",
      { ExpressionAttributeValues: { ":a": 1 } },
    ],
    ["another table", put("1"), "ResourceNotFoundException", { TableName: "other" }],
  ])("rules on %s", async (_, command, expected, more?: object) => {
    const { client } = immediate();
    Object.assign(command.input, more);
    expect(await nameOf(client.send(command))).toBe(expected);
  });

  it("capacity is counted as DynamoDB charges it", async () => {
    const { fake, client } = immediate();
    await client.send(put("1", { d: pad(4096) }));
    await client.send(get("1", true));
    await client.send(get("1", false));
    await client.send(query({ ExpressionAttributeValues: { ":pk": "none" } }));
    await client.send(transaction([key("2")]));
    expect(fake.tally.get("capacity.write")).toBe(5 + 2);
    expect(fake.tally.get("capacity.read")).toBe(2 + 1 + 0.5);
  });

  it("a request that is not modelled is refused loudly and remembered", async () => {
    const { fake, client } = immediate();
    const bare = { ConditionExpression: "attribute_exists(count)" };
    for (const command of [
      new lib.ScanCommand({ TableName }),
      query({ IndexName: "gsi1" }),
      new lib.PutCommand({ TableName, Item: key("1"), ...bare }),
    ]) {
      expect(await nameOf(client.send(command))).toBe("FakeRefusal");
    }
    expect(fake.refusals).toEqual([
      "the fake DynamoDB does not model ScanCommand",
      "the fake DynamoDB does not model IndexName of QueryCommand",
      "the fake DynamoDB does not model the bare name count; use a #placeholder",
    ]);
  });

  it("a scheduler can hold each request before and after it", async () => {
    const passed: string[] = [];
    const { client } = immediate({
      gate: async (label) => {
        passed.push(label);
      },
    });
    await client.send(put("1"));
    expect(passed).toEqual(["send 1 - put p | 1", "reply 1 - put p | 1"]);
  });
});

describe("the fake DynamoDB in virtual time", () => {
  it("the same seed gives the same run, and another seed another one", async () => {
    const log = async (seed: number): Promise<string> => {
      let text = "";
      const trace = (line: string): void => {
        text += `${line}\n`;
      };
      const plan = () => Object.fromEntries(faults.map((fault) => [fault, 0.04]));
      const { time, fake } = simulate({ seed, trace, faults: plan, staleMs: 50, commitMs: 20 });
      const workers = ["a", "b", "c"].map(async (name) => {
        const client = fake.client(time.process(name));
        for (let turn = 0; turn < 40; turn++) {
          await nameOf(client.send(count("n")));
          await nameOf(client.send(transaction([key("n"), key(name)])));
          await nameOf(client.send(query({ ConsistentRead: turn % 2 === 0 })));
        }
      });
      await time.finish(Promise.all(workers));
      expect(fake.refusals).toEqual([]);
      return `${text}${JSON.stringify(fake.tally.all())}`;
    };
    const first = await log(7);
    expect(await log(7)).toBe(first);
    expect(await log(8)).not.toBe(first);
  });

  it.each<[Fault, string[], number[]]>([
    ["throttle", throttles(), [0]],
    ["throttle-after", throttles(), [1]],
    ["twice", ["ok"], [2]],
    ["error-before", ["InternalServerError"], [0]],
    ["error-after", ["InternalServerError"], [1]],
    ["reset-before", ["ECONNRESET"], [0]],
    ["reset-after", ["ECONNRESET"], [1]],
    ["timeout-before", ["ETIMEDOUT"], [0]],
    ["timeout-after", ["ETIMEDOUT"], [1]],
    ["timeout-late", ["ETIMEDOUT"], [0, 1]],
    ["conflict", ["TransactionConflictException"], [0]],
  ])("injects %s", async (fault, names, effects) => {
    const { time, fake, client } = simulate({ faults: () => ({ [fault]: 1 }) });
    const effect = (): unknown => fake.peek(key("n"))?.n ?? 0;
    expect(names).toContain(await time.finish(nameOf(client.send(count("n")))));
    expect(effect()).toBe(effects[0]);
    const settledMs = time.nowMs();
    await time.run();
    expect(effect()).toBe(effects.at(-1));
    expect(time.nowMs() - settledMs).toBeLessThan(5 * 60_000 + 100);
    expect(fake.tally.get(`fault.${fault}`)).toBe(1);
    fake.setFaults();
    expect(await time.finish(nameOf(client.send(count("n"))))).toBe("ok");
  });

  it("a part of a batch is returned unprocessed", async () => {
    const { time, client } = simulate({ faults: () => ({ unprocessed: 1 }) });
    const requests = many(10).map((Item) => ({ PutRequest: { Item: Item as never } }));
    const write = new lib.BatchWriteCommand({ RequestItems: { [TableName]: requests } });
    const { UnprocessedItems } = (await time.finish(client.send(write))) as {
      UnprocessedItems: Record<string, unknown[]>;
    };
    expect(UnprocessedItems[TableName]?.length).toBeGreaterThan(0);
  });

  it("a slow request times out, and is executed nevertheless", async () => {
    const { time, fake, client } = simulate({ latencyMs: () => 700 });
    expect(await time.finish(nameOf(client.send(put("1"))))).toBe("ETIMEDOUT");
    await time.run();
    expect(fake.items()).toHaveLength(1);
  });

  it("an aborted request rejects at once, and is executed nevertheless", async () => {
    const { time, fake, client } = simulate();
    const controller = new AbortController();
    const work = client.send(put("1"), { abortSignal: controller.signal });
    controller.abort();
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    await time.run();
    expect(fake.items()).toHaveLength(1);
  });

  it("stale items are within the window, each separately, and consistent reads are never stale", async () => {
    const { time, fake, process, client } = simulate({ staleMs: 500, latencyMs: () => 1 });
    const seen = new Map<string, number>();
    const work = async (): Promise<void> => {
      for (let version = 1; version <= 60; version++) {
        await client.send(put("a", { version }));
        await client.send(put("b", { version }));
        await process.clock.sleep(40);
        const { Item } = (await client.send(get("a"))) as { Item: { version: number } };
        expect(Item.version).toBe(version);
        const { Items } = (await client.send(query())) as { Items: { version: number }[] };
        const found = Items.map((item) => item.version);
        expect(version - Math.min(...found)).toBeLessThan(15);
        const kind = found.length < 2 ? "missing" : found[0] === found[1] ? "equal" : "different";
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    };
    await time.finish(work());
    expect(seen.get("different")).toBeGreaterThan(10);
    expect(seen.get("missing")).toBeGreaterThan(0);
    expect(fake.tally.get("read.stale")).toBeGreaterThan(10);
  });

  it("a query reads row by row, so that a later row can be newer than an absent earlier one", async () => {
    const { time, fake, client } = simulate({ scanMs: 200, latencyMs: () => 1 });
    let gaps = 0;
    const work = async (): Promise<void> => {
      for (let round = 0; round < 60; round++) {
        const pk = `round${round}`;
        const page = client.send(
          query({ ConsistentRead: true, ExpressionAttributeValues: { ":pk": pk } }),
        );
        for (const sk of ["1", "2", "3"]) {
          await client.send(new lib.PutCommand({ TableName, Item: key(sk, pk) }));
        }
        const { Items } = (await page) as { Items: { sk: string }[] };
        const last = Items.at(-1)?.sk ?? "0";
        if (Items.length < Number(last)) gaps += 1;
      }
    };
    await time.finish(work());
    expect(gaps).toBeGreaterThan(0);
    expect(fake.tally.get("read.torn")).toBeGreaterThan(0);
  });

  it("a running transaction locks its items, and its effects appear one by one", async () => {
    const { time, fake, client } = simulate({ commitMs: 1000, latencyMs: () => 1 });
    const parts = many(20);
    const running = client.send(transaction(parts, "token"));
    let partly = 0;
    const watch = async (): Promise<void> => {
      while (fake.items().length < parts.length) {
        partly += fake.items().length > 0 ? 1 : 0;
        const names = await Promise.all([
          nameOf(client.send(put("1"))),
          nameOf(client.send(transaction([key("zzz"), key("2")]))),
          nameOf(client.send(transaction(parts, "token"))),
          nameOf(client.send(get("1"))),
        ]);
        if (fake.items().length >= parts.length) return;
        expect(names).toEqual([
          "TransactionConflictException",
          "TransactionCanceledException",
          "TransactionInProgressException",
          "ok",
        ]);
      }
    };
    await time.run({ until: () => fake.items().length > 0 });
    await time.finish(watch());
    await time.finish(running);
    expect(partly).toBeGreaterThan(0);
    expect(await time.finish(nameOf(client.send(put("1"))))).toBe("ok");
  });

  it("a frozen process sends only after its thaw, and a killed one never", async () => {
    const { time, fake, process, client } = simulate();
    const late = client.send(put("late"));
    process.freeze();
    time.after(90_000, process.thaw);
    await time.run({ untilMs: time.nowMs() + 60_000 });
    expect(fake.items()).toEqual([]);
    await time.finish(late);
    expect(fake.peek(key("late"))).toBeDefined();
    void client.send(put("never"));
    process.kill();
    await time.run();
    expect(fake.peek(key("never"))).toBeUndefined();
  });
});

describe("time to live and the table's stream", () => {
  const hourMs = 3_600_000;

  it("items are deleted up to 72 h late, in random order, each at its own time", async () => {
    const startMs = 100_000 * hourMs;
    let nowMs = startMs;
    const { fake, client } = immediate({ nowMs: () => nowMs });
    for (const { sk } of many(50)) await client.send(put(sk, { expiresAt: startMs / 1000 }));
    await client.send(put("kept"));
    await client.send(put("expired more than five years ago", { expiresAt: 1 }));
    nowMs = startMs - 1;
    expect(fake.expireItems()).toBe(0);
    nowMs = startMs + 24 * hourMs;
    const first = fake.expireItems();
    expect(first).toBeGreaterThan(5);
    expect(first).toBeLessThan(30);
    expect(fake.expireItems()).toBe(0);
    nowMs = startMs + 72 * hourMs;
    expect(fake.expireItems({ limit: 1 })).toBe(1);
    expect(first + 1 + fake.expireItems()).toBe(50);
    expect(fake.items()).toHaveLength(2);
    const expired = fake.stream.pending().filter((record) => record.expired);
    expect(expired).toHaveLength(50);
    const order = expired.map(({ keys }) => keys.sk);
    expect(order).not.toEqual([...order].sort());
  });

  it("changes are recorded with keys only, and nothing when nothing changed", async () => {
    const { fake, client } = immediate();
    await client.send(put("1"));
    await client.send(put("1"));
    await client.send(put("1", { a: 1 }));
    await client.send(new lib.DeleteCommand({ TableName, Key: key("1") }));
    const records = fake.stream.take();
    expect(records.map(({ eventName }) => eventName)).toEqual(["INSERT", "MODIFY", "REMOVE"]);
    expect(records[0]?.keys).toEqual(key("1"));
    expect(fake.stream.take()).toEqual([]);
  });

  it("records arrive twice and out of order, but first copies of one item in order", async () => {
    const { fake, client } = immediate({ seed: 3 });
    for (let n = 0; n < 200; n++) await client.send(put(`${n % 5}`, { n }));
    const taken = [];
    while (fake.stream.pending().length > 0) {
      taken.push(...fake.stream.take({ limit: 20, duplicate: 0.2, reorder: 0.5 }));
    }
    const numbers = taken.map(({ sequenceNumber }) => Number(sequenceNumber));
    expect(new Set(numbers).size).toBe(200);
    expect(numbers.length).toBeGreaterThan(220);
    const firsts = [...new Set(numbers)];
    expect(firsts).not.toEqual([...firsts].sort((a, b) => a - b));
    for (let item = 0; item < 5; item++) {
      const own = firsts.filter((number) => (number - 1) % 5 === item);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  });

  it("records can be lost, and always are after 24 hours", async () => {
    let nowMs = 0;
    const { fake, client } = immediate({ nowMs: () => nowMs });
    for (const item of many(50)) await client.send(put(item.sk));
    const taken = fake.stream.take({ limit: 10, loss: 0.5 }).length;
    expect(50 - fake.stream.pending().length).toBeGreaterThan(taken);
    nowMs = 24 * hourMs + 1;
    expect(fake.stream.take()).toEqual([]);
  });
});

function many(length: number, d = ""): { pk: string; sk: string; d: string }[] {
  return Array.from({ length }, (_, index) => ({ ...key(`${index}`), d }));
}

function throttles(): string[] {
  return ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];
}
