import { afterAll, describe, expect, it } from "vitest";
import { at, type Client, createClient, newName } from "./client.ts";
import type { Target } from "./wire.ts";

/** Tests that a DELETE can be repeated after its answer was lost. */
export function deletionsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  describe("a DELETE that is repeated", () => repeating(api));
}

function repeating(api: Client): void {
  const remove = (path: string) => api.send({ method: "DELETE", path });

  it("[delete.repeat] a repeated DELETE of a stream answers like the first", async () => {
    const stream = await api.newStream({ partitions: 2 });
    await api.publish(stream, { key: "k", data: 1 });
    const [first, ...repeats] = [
      await remove(at(stream)),
      ...(await Promise.all([remove(at(stream)), remove(at(stream))])),
      await remove(at(stream)),
    ];
    expect(first).toMatchObject({ status: 202, body: { name: stream, status: "deleting" } });
    for (const { status, body } of repeats) expect([status, body]).toEqual([202, first?.body]);
    expect((await api.send({ path: at(stream) })).status).toBe(404);
  });

  it("[delete.repeat] a repeated DELETE of a subscription answers like the first", async () => {
    const stream = await api.newStream();
    const filter = { keyPrefix: "a" };
    for (const [name, how] of Object.entries({ plain: {}, filtered: { filter } })) {
      await api.createSubscription(stream, { name, ...how });
      for (let n = 0; n < 3; n++) expect((await remove(at(stream, name))).status).toBe(204);
      expect((await api.send({ path: at(stream, name) })).status).toBe(404);
    }
  });

  it("[delete.repeat] a repeated DELETE deletes a name that was created again, and its repeats succeed too", async () => {
    const stream = await api.newStream();
    for (let n = 0; n < 2; n++) {
      expect((await api.createSubscription(stream, { name: "s" })).status).toBe(201);
      expect((await remove(at(stream, "s"))).status).toBe(204);
      expect((await api.send({ path: at(stream, "s") })).status).toBe(404);
      expect((await remove(at(stream, "s"))).status).toBe(204);
    }
    await remove(at(stream));
    await api.createStream({ name: stream });
    // The subscription of the earlier life does not exist in the new one.
    expect((await remove(at(stream, "s"))).status).toBe(404);
    expect((await remove(at(stream))).status).toBe(202);
  });

  it("[delete.repeat] a DELETE of a missing name is 404 and says what that means", async () => {
    const stream = await api.newStream();
    const missing = [
      [at(newName()), "stream-not-found"],
      [at(newName(), "s"), "stream-not-found"],
      [at(stream, "s"), "subscription-not-found"],
      ["/keys/abcdefghijkl", "api-key-not-found"],
    ] as const;
    for (const [path, code] of missing) {
      const { status, body } = await remove(path);
      expect([status, body]).toMatchObject([404, { code, retry: "never" }]);
      expect((body as { detail: string }).detail).toMatch(
        /repeats a DELETE .* that DELETE succeeded/,
      );
    }
    const read = (await api.send({ path: at(newName()) })).body as { detail: string };
    expect(read.detail).not.toMatch(/DELETE/);
  });

  it("[delete.repeat] a name is never mistaken for the beginning of another", async () => {
    const stream = await api.newStream();
    await remove(at(stream));
    for (const other of [stream.slice(0, -1), `${stream}x`, `${stream}-`]) {
      expect((await remove(at(other))).status).toBe(404);
    }
  });
}
