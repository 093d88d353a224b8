import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, expect, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openPushTarget } from "./push-target.ts";

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, run, answer } = target;
const client = new DynamoDBClient(localAws(target.endpoint));
afterAll(async () => {
  client.destroy();
  await target.close();
});

const SECRET = "born on the 29th of February";

const post = (path: string, json: object, method = "POST") =>
  api.send({
    method,
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  });

/** Returns the rows of the table that contain a text. */
async function rowsWith(text: string): Promise<string[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: target.tableName }));
  return Items.filter((item) => JSON.stringify(item).includes(text)).map(({ sk }) => sk?.S ?? "");
}

it("[erase.data] takes the kept answers of endpoints about the key, and leaves those about others", async () => {
  const stream = await api.newStream({ partitions: 2, compaction: "none" });
  const at = `/streams/${stream}/subscriptions`;
  for (const name of ["one", "two"]) {
    await api.createSubscription(stream, { name, start: "earliest" });
    expect((await post(`${at}/${name}/push`, { url: target.url }, "PUT")).status).toBe(201);
  }
  // The endpoint repeats what it got, as many do when they cannot process it.
  answer(({ body: { key, data } }) =>
    key === "good" ? 204 : { status: 422, body: `cannot process ${JSON.stringify(data)}` },
  );
  await api.publish(stream, [
    { key: "good", data: 1 },
    { key: "gone", data: { note: SECRET } },
    { key: "kept", data: { note: "of another key" } },
    { key: "good", data: 2 },
  ]);
  await run();
  const kept = async (name: string) => {
    const { body } = await api.send({ path: `${at}/${name}/push/deliveries` });
    return described.PushDeliveryList.parse(body).deliveries;
  };
  for (const name of ["one", "two"]) {
    expect((await kept(name)).map(({ key }) => key).sort()).toEqual(["gone", "kept"]);
  }
  expect((await rowsWith(SECRET)).filter((sk) => sk.startsWith("FAILED#"))).toHaveLength(2);

  const erased = await post(`/streams/${stream}/erasures`, { key: "gone", reason: "a request" });
  expect(erased.status, erased.text).toBe(202);
  for (const name of ["one", "two"]) {
    expect(await kept(name)).toMatchObject([
      { key: "kept", answer: expect.stringContaining("another") },
    ]);
  }
  expect(await rowsWith(SECRET)).toEqual([]);

  // The retry of the erased event has nothing more to repeat.
  aheadMs += 7_000;
  await run();
  expect(await rowsWith(SECRET)).toEqual([]);
});
