import { gzipSync } from "node:zlib";
import { LedgerError } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { askForBody, discardUnreadBody, readCapped } from "./body-cap.ts";
import { unpackBody } from "./content-encoding.ts";
import type { AppEnv } from "./env.ts";

const MAX = LIMITS.requestBytesMax;

/** Returns a body without end, and how many bytes of it were taken. */
function endlessBody() {
  const taken = { bytes: 0 };
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      taken.bytes += MAX;
      controller.enqueue(new Uint8Array(MAX));
    },
  });
  return { taken, body };
}

const post = (more: RequestInit = {}) =>
  new Request("http://localhost/", { method: "POST", duplex: "half", ...more } as RequestInit);

describe("the body of a request", () => {
  it("is asked for up to the declared length that is allowed", async () => {
    const asks = async (length: string | undefined): Promise<number> => {
      let asked = 0;
      const app = new Hono<AppEnv>().use(askForBody).all("*", (c) => c.text(""));
      const headers = length === undefined ? {} : { "content-length": length };
      await app.request("/", { method: "POST", headers }, { proceed: () => void asked++ });
      return asked;
    };
    expect(await asks(undefined)).toBe(1);
    expect(await asks(String(MAX))).toBe(1);
    expect(await asks(String(MAX + 1))).toBe(0);
  });

  it("is read up to the cap, and not at all with a longer declared length", async () => {
    expect(await readCapped(post({ body: "abc" }))).toEqual(Buffer.from("abc"));
    expect(await readCapped(post())).toEqual(Buffer.alloc(0));
    const { taken, body } = endlessBody();
    const declared = post({ body, headers: { "content-length": String(MAX + 1) } });
    const code = (error: unknown) => error instanceof LedgerError && error.code;
    expect(await readCapped(declared).catch(code)).toBe("request-too-large");
    expect(taken.bytes).toBeLessThanOrEqual(MAX);
    const undeclared = endlessBody();
    expect(await readCapped(post({ body: undeclared.body })).catch(code)).toBe("request-too-large");
  });

  it("is discarded after a refusal, up to a bound", async () => {
    const app = new Hono<AppEnv>().use(discardUnreadBody).all("*", (c) => c.text("", 400));
    const { taken, body } = endlessBody();
    expect((await app.request(post({ body }), undefined, {})).status).toBe(400);
    expect(taken.bytes).toBeGreaterThan(8 * MAX);
    expect(taken.bytes).toBeLessThanOrEqual(10 * MAX);
  });

  it("has the length that it has without compression", async () => {
    const app = new Hono<AppEnv>()
      .use(unpackBody)
      .all("*", async (c) =>
        c.json({ length: c.req.header("content-length"), text: await c.req.text() }),
      );
    const packed = gzipSync("a".repeat(1_000));
    const headers = { "content-encoding": "gzip", "content-length": String(packed.length) };
    const answer = await app.request("/", { method: "POST", body: packed, headers });
    expect(await answer.json()).toEqual({ length: "1000", text: "a".repeat(1_000) });
  });
});
