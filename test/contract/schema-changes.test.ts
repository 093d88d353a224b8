import { afterAll, describe, expect, it } from "vitest";
import { openArchivedTarget } from "./archived-target.ts";

/** Changes of the schemas of a stream: which are accepted, and whom they break. */

const { api, close } = await openArchivedTarget(() => 0);
afterAll(close);

const send = (method: string, path: string, body?: object) =>
  api.send({
    method,
    path,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const PLACED = {
  type: "object",
  properties: {
    total: { type: "number", minimum: 0 },
    lines: {
      type: "array",
      items: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
    },
  },
  required: ["total"],
};
type Properties = Record<string, unknown>;
const placedWith = (properties: Properties, more: object = {}) => ({
  schemas: {
    "order.placed": { ...PLACED, properties: { ...PLACED.properties, ...properties }, ...more },
  },
});

async function declared(compatibility: string) {
  const stream = await api.newStream();
  const path = `/streams/${stream}/schemas`;
  const first = { schemas: { "order.placed": PLACED }, compatibility };
  expect((await send("PUT", path, first)).status).toBe(200);
  const put = (body: object, query = "") => send("PUT", `${path}${query}`, body);
  const check = (body: object) => send("POST", `${path}/check`, body);
  return { stream, path, put, check, get: () => send("GET", path) };
}

const at = (path: string) => `/schemas/order.placed${path}`;
const WIDER = placedWith({ total: { type: "number" } });
const NARROWER = placedWith({ total: { type: "integer", minimum: 0 } });
const SAME = placedWith({ total: { minimum: 0, type: "number", description: "in cents" } });

describe("a mode of compatibility", () => {
  it.each([
    ["none", [WIDER, NARROWER, SAME], []],
    ["backward", [WIDER, SAME], [NARROWER]],
    ["forward", [NARROWER, SAME], [WIDER]],
    ["full", [SAME], [WIDER, NARROWER]],
  ])("[schema.compatible] %s accepts what it says, and nothing else", async (mode, good, bad) => {
    for (const change of good) {
      const { put, get } = await declared(mode);
      expect(await put(change)).toMatchObject({ status: 200, body: { compatibility: mode } });
      expect((await get()).body).toMatchObject(change);
    }
    for (const change of bad) {
      const { put, get } = await declared(mode);
      const before = (await get()).body;
      const refused = await put(change);
      expect(refused.body).toMatchObject({ status: 409, code: "incompatible-schemas" });
      expect((await get()).body).toEqual(before);
    }
  });

  it("[schema.compatible] a refusal points at the keyword, for each reason", async () => {
    const { put } = await declared("backward");
    const refused = await put(
      placedWith({ total: { type: "integer", minimum: 1 } }, { required: ["total", "lines"] }),
    );
    const detail = (rule: string) =>
      `may refuse data that the former schema accepts: the keyword ${rule}`;
    expect(refused.body).toMatchObject({
      errors: [
        { pointer: at("/required/1"), detail: detail("required") },
        { pointer: at("/properties/total/type"), detail: detail("type") },
        { pointer: at("/properties/total/minimum"), detail: detail("minimum") },
      ],
      breaks: [],
      retry: "never",
    });
    const forward = await declared("forward");
    expect((await forward.put(WIDER)).body).toMatchObject({
      errors: [{ pointer: at("/properties/total/minimum") }],
    });
  });

  it("[schema.compatible] the mode stays without one in the request, and both modes hold in a change of it", async () => {
    const { put, get } = await declared("backward");
    expect((await put(SAME)).body).toMatchObject({ compatibility: "backward" });
    expect((await put({ ...NARROWER, compatibility: "none" })).status).toBe(409);
    expect((await put({ ...WIDER, compatibility: "full" })).status).toBe(409);
    expect((await put({ ...SAME, compatibility: "none" })).status).toBe(200);
    expect((await put(NARROWER)).status).toBe(200);
    expect((await get()).body).toMatchObject({ ...NARROWER, compatibility: "none" });
  });

  it("[schema.compatible] types are added freely, and neither removed nor undeclared", async () => {
    const { put } = await declared("backward");
    const schemas = { ...SAME.schemas, "order.paid": { type: "object" } };
    expect((await put({ schemas })).status).toBe(200);
    expect((await put(SAME)).body).toMatchObject({
      errors: [{ pointer: "/schemas/order.paid", detail: "is removed" }],
    });
    expect((await put({ schemas, undeclared: "refused" })).body).toMatchObject({
      errors: [{ pointer: "/undeclared", detail: 'must stay "accepted"' }],
    });
  });

  it("[schema.force] is left out by force", async () => {
    const { put, get } = await declared("full");
    expect((await put(NARROWER, "?force=false")).status).toBe(409);
    expect((await put(NARROWER, "?force=true")).status).toBe(200);
    expect((await get()).body).toMatchObject({ ...NARROWER, compatibility: "full" });
    expect((await put(NARROWER, "?force=yes")).body).toMatchObject({
      errors: [{ pointer: "/query/force" }],
    });
  });
});

describe("fields that subscriptions read", () => {
  const reads = { "order.placed": ["/total", "/lines/*/sku"], "order.paid": ["/by"] };
  async function read(compatibility = "none") {
    const opened = await declared(compatibility);
    const path = `/streams/${opened.stream}/subscriptions`;
    expect((await send("POST", path, { name: "billing", reads })).status).toBe(201);
    await send("POST", path, { name: "other" });
    return { ...opened, subscription: `${path}/billing` };
  }
  const { total: _, ...withoutTotal } = PLACED.properties;

  it.each([
    [
      "a field is removed and cannot be there",
      { properties: withoutTotal, additionalProperties: false, required: [] },
      "/total",
      "can no longer be there",
    ],
    ["a field is optional", { required: [] }, "/total", "required"],
    [
      "a field has other values",
      { properties: { ...PLACED.properties, total: { type: "string" } } },
      "/total",
      "type",
    ],
    ["a field is not declared", { properties: withoutTotal }, "/total", "type"],
    [
      "a field of a list is optional",
      {
        properties: {
          ...PLACED.properties,
          lines: {
            type: "array",
            items: { type: "object", properties: { sku: { type: "string" } } },
          },
        },
      },
      "/lines/*/sku",
      "required",
    ],
    ["the type accepts anything", undefined, "/total", "type"],
  ])("[schema.reads] a change is refused while %s", async (_title, change, field, detail) => {
    const { put, check, get } = await read();
    const schemas = change === undefined ? {} : { "order.placed": { ...PLACED, ...change } };
    const before = (await get()).body;
    const refused = await put({ schemas });
    expect(refused.body).toMatchObject({
      code: "incompatible-schemas",
      errors: expect.arrayContaining([
        { pointer: at(""), detail: expect.stringContaining("breaks the subscription billing") },
      ]),
    });
    const breaks = [
      {
        subscription: "billing",
        type: "order.placed",
        field,
        detail: expect.stringContaining(detail),
      },
    ];
    expect((refused.body as { breaks: unknown[] }).breaks).toEqual(expect.arrayContaining(breaks));
    expect((await check({ schemas })).body).toMatchObject({
      accepted: false,
      breaks: expect.arrayContaining(breaks),
    });
    expect((await get()).body).toEqual(before);
    expect((await put({ schemas }, "?force=true")).status).toBe(200);
  });

  it.each([
    [
      "another field changes",
      placedWith({ note: { type: "string" } }, { required: ["total", "note"] }),
    ],
    ["a field has fewer values", NARROWER],
    ["a type is added", { schemas: { ...SAME.schemas, "order.paid": { required: ["by"] } } }],
  ])("[schema.reads] a change is accepted while %s", async (_title, change) => {
    const { put, check } = await read();
    expect((await check(change)).body).toMatchObject({ accepted: true, breaks: [] });
    expect((await put(change)).status).toBe(200);
  });

  it("[schema.check] answers both directions whatever the mode, and changes nothing", async () => {
    const { check, get, path } = await read("backward");
    const before = (await get()).body;
    expect((await check(WIDER)).body).toEqual({
      ...{ accepted: false, backward: true, forward: false },
      differences: [
        {
          ...{ direction: "forward", type: "order.placed", rule: "minimum" },
          pointer: at("/properties/total/minimum"),
          detail: expect.stringContaining("minimum"),
        },
      ],
      breaks: [
        {
          ...{ subscription: "billing", type: "order.placed", field: "/total" },
          detail: "may no longer be as the former schema says: the keyword minimum",
        },
      ],
    });
    expect((await check(SAME)).body).toEqual({
      ...{ accepted: true, backward: true, forward: true, differences: [], breaks: [] },
    });
    expect((await check({ schemas: { t: { pattern: "a" } } })).body).toMatchObject({
      errors: [{ pointer: "/schemas/t/pattern" }],
    });
    expect((await send("POST", `${path}x/check`, SAME)).status).toBe(404);
    expect((await get()).body).toEqual(before);
  });

  it("[sub.patch] are settings: shown, changed and removed", async () => {
    const { put, subscription } = await read();
    const shown = { "order.paid": ["/by"], "order.placed": ["/lines/*/sku", "/total"] };
    expect((await send("GET", subscription)).body).toMatchObject({ reads: shown });
    const again = await send("POST", subscription.replace("/billing", ""), {
      name: "billing",
      reads,
    });
    expect(again.status).toBe(200);
    const other = await send("POST", subscription.replace("/billing", ""), { name: "billing" });
    expect(other.body).toMatchObject({ code: "subscription-exists" });
    expect(
      (await send("PATCH", subscription, { reads: { "order.placed": ["/lines"] } })).body,
    ).toMatchObject({ reads: { "order.placed": ["/lines"] } });
    expect((await put(placedWith({ total: { type: "string" } }))).status).toBe(200);
    expect((await send("PATCH", subscription, { reads: null })).body).not.toHaveProperty("reads");
    expect((await put({ schemas: {} })).status).toBe(200);
  });

  it.each([
    [{ t: ["total"] }, "/reads/t/0"],
    [{ t: ["/a~2"] }, "/reads/t/0"],
    [{ t: [] }, "/reads/t"],
    [{ t: "/a" }, "/reads/t"],
    [Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`t${n}`, ["/a"]])), "/reads"],
    [{ t: Array.from({ length: 60 }, (_, n) => `/${"x".repeat(80)}${n}`) }, "/reads"],
  ])("[sub.patch] wrong ones are refused: %#", async (wrong, pointer) => {
    const { subscription } = await read();
    expect((await send("PATCH", subscription, { reads: wrong })).body).toMatchObject({
      ...{ code: "invalid-request", errors: [{ pointer }] },
    });
  });

  it("[schema.reads] two changes at the same time are both compared with what is there", async () => {
    const { put, get } = await declared("backward");
    const types = Array.from({ length: 6 }, (_, n) => ({ [`t${n}`]: { type: "object" } }));
    const answers = await Promise.all(
      types.map((more) => put({ schemas: { ...SAME.schemas, ...more } })),
    );
    const accepted = answers.filter(({ status }) => status === 200);
    // Each later one would remove the type that the first one has added.
    expect(accepted).toHaveLength(1);
    expect((await get()).body).toMatchObject(accepted[0]?.body ?? {});
  });
});
