import { afterAll, beforeAll, expect, it } from "vitest";
import { at, createClient } from "./client.ts";
import type { Target } from "./wire.ts";

/**
 * Tests that long answers are compressed for clients that accept it, and that their content does
 * not change.
 */
export function compressionContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  const get = (path: string, encoding = "gzip, deflate, br") =>
    api.send({ path, headers: { "accept-encoding": encoding } });
  let stream: string;

  beforeAll(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    const events = Array.from({ length: 50 }, (_, n) => ({
      key: `order-${n}`,
      data: { total: n },
    }));
    await api.publish(stream, events);
    await api.compact(stream);
  });

  it.each(["/events", "/subscriptions/s/poll", "/compacted"])(
    "[http.gzip] a long page of %s is compressed for clients that accept it, with the same content",
    async (path) => {
      const [plain, small] = [
        await get(at(stream) + path, "identity"),
        await get(at(stream) + path),
      ];
      expect([plain.status, small.status]).toEqual([200, 200]);
      expect(plain.header("content-encoding")).toBe("");
      expect(small.header("content-encoding")).toBe("gzip");
      expect(small.header("vary").toLowerCase()).toContain("accept-encoding");
      expect(small.bytes * 4).toBeLessThan(plain.bytes);
      const { events, items } = plain.body as { events?: unknown[]; items?: unknown[] };
      expect(events ?? items).toHaveLength(50);
      expect(small.body).toMatchObject(events === undefined ? { items } : { events });
    },
  );

  it("[http.gzip] a page in CloudEvents form is compressed as well", async () => {
    const headers = { accept: "application/cloudevents-batch+json", "accept-encoding": "gzip" };
    const page = await api.send({ path: `${at(stream)}/events`, headers });
    expect(page.header("content-encoding")).toBe("gzip");
    expect(page.body).toHaveLength(50);
  });

  it.each([
    ["a page of one event", "/events?limit=1", 200],
    ["a problem", "/events?limit=none", 400],
  ])("[http.gzip] %s is too short to be compressed", async (_, path, status) => {
    const answer = await get(at(stream) + path);
    expect(answer.status).toBe(status);
    expect(answer.header("content-encoding")).toBe("");
    // An answer that is streamed has no length.
    expect([String(answer.bytes), ""]).toContain(answer.header("content-length"));
  });

  it("[http.gzip] the documentation is compressed for browsers", async () => {
    for (const path of ["/docs", "/openapi.json", "/docs/assets/swagger-ui.css"])
      expect((await get(path)).header("content-encoding"), path).toBe("gzip");
  });
}
