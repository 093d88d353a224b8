import { LIMITS, type Problem } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { type DescribedOperation, operations } from "./access/openapi-operations.ts";
import { at, createClient } from "./client.ts";
import { type Call, refusal, type Target } from "./wire.ts";

/**
 * Tests that no operation ignores a part of a request. Every operation of the OpenAPI document is
 * called with parts that it does not describe.
 */
export function unknownPartsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  const errorsOf = async (call: Call) => {
    const answer = await api.send(call);
    const { code, errors = [] } = answer.body as Problem;
    expect([answer.status, code], answer.text).toEqual([400, "invalid-request"]);
    return errors;
  };

  describe.each(operations.filter(({ scope }) => scope !== "public"))("$id", (operation) => {
    const { method } = operation;
    const takesBody = operation.requestBody !== undefined;
    const isRead = method === "GET";
    const taken = new Set(operation.parameters.map(({ name }) => name.toLowerCase()));
    const path = pathOf(operation);
    const json = { "content-type": "application/json" };
    const whole = takesBody ? { headers: json, body: "{}" } : {};

    it("[http.query] refuses a query parameter that it does not take", async () => {
      const errors = await errorsOf({ ...whole, method, path: `${path}?dryRun=true` });
      expect(errors.map(({ pointer }) => pointer)).toContain("/query/dryRun");
    });

    it.each(ASKING.filter(([name]) => !taken.has(name)))(
      "[http.asked] refuses %s: %s",
      async (name, value) => {
        if (isRead && HARMLESS.has(name)) return;
        const headers = { ...whole.headers, [name]: value };
        const errors = await errorsOf({ ...whole, method, path, headers });
        const detail = "is not known: this request would not act on it";
        expect(errors).toEqual([{ pointer: `/headers/${name}`, detail }]);
      },
    );

    it.skipIf(isRead)("[http.body] refuses a member that it does not take", async () => {
      for (const body of ['{"ifLife":"x"}', '{"a":1,"ifLife":null}']) {
        const errors = await errorsOf({ method, path, headers: json, body });
        expect(errors.map(({ pointer }) => pointer)).toContain("/ifLife");
      }
    });

    it.skipIf(isRead || takesBody)("[http.body] refuses any body", async () => {
      for (const body of ["x", "[]", "null", "0"]) {
        const errors = await errorsOf({ method, path, headers: json, body });
        const detail = "must be empty: this request takes none";
        expect(errors, body).toEqual([{ pointer: "", detail }]);
      }
    });
  });

  it("[http.body] an empty body, white space and {} count as no body", async () => {
    const stream = await api.newStream();
    for (const body of ["", " \n", "{}", " {} "]) {
      const answer = await api.send({ method: "POST", path: `${at(stream)}/compact`, body });
      expect(answer.status, answer.text).toBe(200);
    }
  });

  it("[http.body] a body of a request that takes none may have 64 KiB", async () => {
    const stream = await api.newStream();
    const body = " ".repeat(64 * 1024);
    const path = `${at(stream)}/compact`;
    expect((await api.send({ method: "POST", path, body })).status).toBe(200);
    expect((await api.send({ method: "POST", path, body: `${body} ` })).status).toBe(413);
  });

  it("[http.asked] a read may be sent with what caches and clients add to it", async () => {
    const stream = await api.newStream();
    const headers = { "if-none-match": '"1"', "idempotency-key": "a", "if-modified-since": "x" };
    expect((await api.send({ path: at(stream), headers })).status).toBe(200);
  });

  it("[http.asked] Last-Event-ID is refused outside of an event stream", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    for (const path of [`${at(stream)}/events`, `${at(stream, "s")}/poll`]) {
      const errors = await errorsOf({ path, headers: { "last-event-id": "x" } });
      const detail = "needs Accept: text/event-stream";
      expect(errors).toEqual([{ pointer: "/headers/last-event-id", detail }]);
    }
  });

  it("[http.asked] attributes of binary mode are refused in another mode", async () => {
    const stream = await api.newStream();
    for (const contentType of ["application/json", "application/x-ndjson"]) {
      const headers = { "ce-type": "order.placed" };
      const publishing = api.publish(stream, { key: "k", data: 1 }, { contentType, headers });
      const { errors } = await refusal(publishing, "invalid-request");
      const detail = "needs ce-specversion, which marks binary mode";
      expect(errors).toEqual([{ pointer: "/headers/ce-type", detail }]);
    }
    expect(await api.readAll(stream)).toEqual([]);
  });
}

/** Headers that ask for something, each with a value that some operation accepts. */
const ASKING: readonly (readonly [string, string])[] = [
  ["if-match", '"1"'],
  ["if-match", "*"],
  ["if-none-match", "*"],
  ["if-unmodified-since", "Sun, 29 Nov 2026 12:00:00 GMT"],
  ["idempotency-key", "once"],
  ["last-event-id", "1"],
];

/** The headers of a read that need no refusal: see [http.asked]. */
const HARMLESS = new Set(["if-none-match", "idempotency-key"]);

/** The parameters of the path name nothing that exists, because they are looked up later. */
const pathOf = ({ path }: DescribedOperation): string =>
  path
    .replace("{id}", "a".repeat(12))
    .replace("{export}", "0".repeat(LIMITS.exportIdChars))
    .replace("{erasure}", "0".repeat(24))
    .replaceAll(/\{\w+\}/g, "nothing-there");
