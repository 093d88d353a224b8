import { afterAll, describe, expect, it } from "vitest";
import { openArchivedTarget } from "./archived-target.ts";

/** Schemas of events over HTTP. */

const { api, close } = await openArchivedTarget(() => 0);
afterAll(close);

const send = (method: string, path: string, body?: object, headers: object = {}) =>
  api.send({
    method,
    path,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body).replaceAll('"BEYOND"', "1e400") }),
  });
const PLACED = {
  type: "object",
  properties: { total: { type: "number", minimum: 0 }, lines: { type: "array" } },
  required: ["total"],
};
const placed = (data: unknown) => ({ key: "k", type: "order.placed", data });

async function declared(body: object = { schemas: { "order.placed": PLACED } }) {
  const stream = await api.newStream();
  expect((await send("PUT", `/streams/${stream}/schemas`, body)).status).toBe(200);
  const publish = (event: object, headers?: object) =>
    send("POST", `/streams/${stream}/events`, event, headers);
  return { stream, publish, path: `/streams/${stream}/schemas` };
}

describe("the schemas of a stream", () => {
  it("[schema.put] are none at first, replaced by a PUT, and survive other changes", async () => {
    const stream = await api.newStream();
    const path = `/streams/${stream}/schemas`;
    const none = { schemas: {}, undeclared: "accepted", compatibility: "none" };
    expect((await send("GET", path)).body).toEqual(none);
    const schemas = { "order.placed": PLACED, big: { const: 1e300 }, "a/b": true };
    const wanted = { schemas, undeclared: "refused" };
    const shown = { ...wanted, compatibility: "none" };
    expect((await send("PUT", path, wanted)).body).toEqual(shown);
    await send("PATCH", `/streams/${stream}`, { description: "other" });
    expect((await send("GET", path)).body).toEqual(shown);
    expect((await send("PUT", path, { schemas: {} })).body).toEqual(none);
    expect((await send("GET", path)).body).toEqual(none);
  });

  it.each([
    [{ pattern: "^a" }, "/schemas/t/pattern"],
    [{ properties: { a: { format: "date" } } }, "/schemas/t/properties/a/format"],
    [{ $ref: "https://example.com/schema" }, "/schemas/t/$ref"],
    [{ type: "text" }, "/schemas/t/type"],
    [{ minimum: "1" }, "/schemas/t/minimum"],
    [{ $defs: { a: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" }, "/schemas/t"],
    [{ enum: [{ a: [1, "BEYOND"] }] }, "/schemas/t/enum"],
    [{ maximum: "BEYOND" }, "/schemas/t/maximum"],
    [7, "/schemas/t"],
  ])("[schema.refused] %j is refused, and changes nothing", async (schema, pointer) => {
    const { path } = await declared();
    const answer = await send("PUT", path, { schemas: { t: schema } });
    expect(answer.body).toMatchObject({ status: 400, code: "invalid-request" });
    expect(answer.body).toMatchObject({ errors: [{ pointer }] });
    expect((await send("GET", path)).body).toMatchObject({ schemas: { "order.placed": PLACED } });
  });

  it("[schema.refused] a value that is nested too deeply is refused with a pointer", async () => {
    const { path } = await declared();
    const text = `{"schemas":{"t":{"const":${"[".repeat(9_000)}${"]".repeat(9_000)}}}}`;
    const headers = { "content-type": "application/json" };
    expect((await api.send({ method: "PUT", path, headers, body: text })).body).toMatchObject({
      ...{ status: 400, code: "invalid-request", errors: [{ pointer: "/schemas/t/const" }] },
    });
  });

  it("[schema.refused] a schema that is too deep or too large is refused", async () => {
    const { path } = await declared();
    let deep: object = { type: "null" };
    for (let at = 0; at < 40; at++) deep = { not: deep };
    const large = { enum: Array.from({ length: 4_000 }, (_, at) => `value ${at}`) };
    for (const schema of [deep, large]) {
      expect(await send("PUT", path, { schemas: { t: schema } })).toMatchObject({ status: 400 });
    }
  });
});

describe("a publish", () => {
  it("[schema.checked] is refused with pointers, and writes nothing when one event fails", async () => {
    const { stream, publish } = await declared();
    const one = await publish(placed({ total: -1 }));
    expect(one.body).toMatchObject({
      ...{ status: 400, code: "invalid-request", retry: "never" },
      errors: [{ pointer: "/data/total", detail: "must be at least 0" }],
    });
    const events = [placed({ total: 1 }), placed({ lines: 3 }), placed({ total: 2 })];
    const several = await publish({ events });
    expect(several.body).toMatchObject({
      errors: [
        { pointer: "/events/1/data/total", detail: "is required" },
        { pointer: "/events/1/data/lines", detail: "must be of type array" },
      ],
    });
    expect((await publish(placed({ total: 1 }))).body).toMatchObject({ events: [{ sequence: 1 }] });
    expect((await publish({ key: "k", type: "other", data: 1 })).status).toBe(201);
    expect((await publish(placed(null))).status).toBe(201);
    expect((await api.getStream(stream)).eventCount).toBe(3);
  });

  it("[schema.undeclared] of a type without a schema is refused if the stream says so", async () => {
    const { publish } = await declared({ schemas: { a: true }, undeclared: "refused" });
    for (const event of [
      { key: "k", data: 1 },
      { key: "k", type: "b", data: 1 },
    ]) {
      expect((await publish(event)).body).toMatchObject({ errors: [{ pointer: "/type" }] });
    }
    expect((await publish({ key: "k", type: "a", data: 1 })).status).toBe(201);
  });

  it("[schema.replayed] that is repeated with its key is answered as before, whatever the schemas are now", async () => {
    const { path, publish } = await declared();
    const key = { "idempotency-key": "first" };
    const first = await publish(placed({ total: 1 }), key);
    await send("PUT", path, { schemas: { "order.placed": false } });
    const again = await publish(placed({ total: 1 }), key);
    expect(again).toMatchObject({ status: 200, body: first.body });
    const other = await publish(placed({ total: 1 }), { "idempotency-key": "second" });
    expect(other.status).toBe(400);
  });
});
