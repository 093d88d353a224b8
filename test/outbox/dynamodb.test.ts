import { expect, it, vi } from "vitest";
import { type DynamoRecord, dynamoRelay } from "../../packages/outbox/src/index.ts";
import { EventLedger, LedgerProblem } from "../../packages/sdk/src/index.ts";
import { fakeLedger } from "../../packages/sdk/src/testing/index.ts";

/** Returns the record of a DynamoDB stream for one version of an item, as Lambda passes it. */
const record = (place: number, key: string, version: number): DynamoRecord => ({
  eventID: `record-${place}`,
  eventName: version === 1 ? "INSERT" : "MODIFY",
  dynamodb: {
    ApproximateCreationDateTime: 1_764_000_000,
    SequenceNumber: String(1_000 + place),
    Keys: { pk: { S: key } },
    NewImage: { pk: { S: key }, version: { N: String(version) } },
  },
});

const toEvents = ({ dynamodb }: DynamoRecord) => {
  const { pk, version } = (dynamodb?.NewImage ?? {}) as {
    pk: { S: string };
    version: { N: string };
  };
  return [{ stream: "orders", key: pk.S, dataText: version.N }];
};

it("publishes each record once and in order, however Lambda cuts its batches", async () => {
  for (let round = 0; round < 8; round++) {
    const fake = fakeLedger({ streams: ["orders"] });
    const ledger = new EventLedger({ ...fake.options, retry: { attempts: 2, baseMs: 1 } });
    const handler = dynamoRelay({ ledger, toEvents });
    const last = new Map<string, number>();
    const records = Array.from({ length: 60 }, (_, place) => {
      const key = `k${Math.floor(Math.random() * 5)}`;
      last.set(key, (last.get(key) ?? 0) + 1);
      return record(place, key, last.get(key) ?? 0);
    });
    for (let from = 0; from < records.length; ) {
      const Records = records.slice(from, from + 1 + Math.floor(Math.random() * 20));
      fake.lose(Math.random() < 0.5 ? "answer" : "request", Math.floor(Math.random() * 4));
      const { batchItemFailures } = await handler({ Records });
      const [failed] = batchItemFailures;
      const at = Number(failed?.itemIdentifier ?? Number.NaN) - 1_000;
      // Lambda may also have lost the answer, and then begins again with the same records.
      if (Math.random() < 0.2) continue;
      from = Number.isNaN(at) ? from + Records.length : at;
    }
    const seen = new Map<string, number>();
    for await (const { key, data } of ledger.stream<number>("orders").read()) {
      expect(data, key).toBe((seen.get(key) ?? 0) + 1);
      seen.set(key, data ?? 0);
    }
    expect(seen).toEqual(last);
  }
});

it("fails a record that the ledger refuses, and lets the others pass, or gives it up", async () => {
  const fake = fakeLedger({ streams: ["orders"] });
  const ledger = new EventLedger(fake.options);
  const broken = (one: DynamoRecord) =>
    one.eventID === "record-1" ? [{ stream: "orders", key: "", data: 1 }] : toEvents(one);
  const Records = [record(0, "a", 1), record(1, "b", 1), record(2, "a", 2)];
  const strict = dynamoRelay({ ledger, toEvents: broken });
  expect(await strict({ Records })).toEqual({ batchItemFailures: [{ itemIdentifier: "1001" }] });
  const onRefused = vi.fn();
  const lenient = dynamoRelay({ ledger, toEvents: broken, onRefused });
  expect(await lenient({ Records })).toEqual({ batchItemFailures: [] });
  expect(onRefused).toHaveBeenCalledOnce();
  expect(onRefused.mock.calls[0]?.[0]).toMatchObject({ name: "InvalidEvent" });
  fake.revoke();
  // A refused API key does not concern a single record, so no record is given up.
  expect(await lenient({ Records: [record(3, "a", 3)] })).toEqual({
    batchItemFailures: [{ itemIdentifier: "1003" }],
  });
  await expect(ledger.whoami()).rejects.toSatisfy((error) => LedgerProblem.is(error));
});
