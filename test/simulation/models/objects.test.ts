import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import { ObjectsLocked } from "../../../packages/core/src/objects/objects.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../dynamodb/virtual-clock.ts";
import { createFakeObjects } from "../objects/fake-objects.ts";
import { objectFaults, s3Error } from "../objects/faults.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const ndjson = { contentType: "application/x-ndjson" };
const NOW_MS = 1_800_000_000_000;

describe("objects in a bucket", () => {
  it("an object is written once, and is read in any ranges", async () => {
    const objects = createFakeObjects().objects();
    expect(await objects.create("a/1", bytes("0123456789"), ndjson)).toBe("created");
    expect(await objects.create("a/1", bytes("other"), ndjson)).toBe("exists");
    const sha256 = createHash("sha256").update("0123456789").digest("hex");
    expect(await objects.head("a/1")).toEqual({ bytes: 10, sha256 });
    const read = async (from: number, to: number) =>
      new TextDecoder().decode(await objects.read("a/1", from, to));
    expect(await read(2, 5)).toBe("234");
    expect(await read(8, 50)).toBe("89");
    expect(await read(10, 12)).toBe("");
    expect(await read(3, 3)).toBe("");
    expect(await objects.read("a/2", 0, 1)).toBeUndefined();
    expect(await objects.read("a/2", 0, 0)).toBeUndefined();
    expect(await objects.head("a/2")).toBeUndefined();
  });

  it("a list has the names of a prefix in order, page by page", async () => {
    const objects = createFakeObjects().objects();
    for (const name of ["a/2", "a/10", "b/1", "a/1"])
      await objects.create(name, bytes(name), ndjson);
    expect(await objects.list("a/", undefined, 2)).toEqual({ names: ["a/1", "a/10"], more: true });
    expect(await objects.list("a/", "a/10", 2)).toEqual({ names: ["a/2"], more: false });
    expect(await objects.list("c/", undefined, 2)).toEqual({ names: [], more: false });
  });

  it("a lock keeps its object until its date, and the others are removed", async () => {
    let nowMs = NOW_MS;
    const fake = createFakeObjects({ nowMs: () => nowMs });
    const objects = fake.objects();
    await objects.create("a/1", bytes("1"), { ...ndjson, lockedUntil: new Date(NOW_MS + 1_000) });
    await objects.create("a/2", bytes("2"), ndjson);
    const all = ["a/1", "a/2", "a/3"];
    await expect(objects.remove(all)).rejects.toThrow(ObjectsLocked);
    expect([...fake.stored.keys()]).toEqual(["a/1"]);
    nowMs += 1_000;
    await objects.remove(all);
    await objects.remove(all);
    expect([...fake.stored.keys()]).toEqual([]);
  });

  it("a bucket without object lock refuses a lock instead of forgetting it", async () => {
    const objects = createFakeObjects({ locks: false }).objects();
    const lockedUntil = new Date(NOW_MS);
    await expect(objects.create("a/1", bytes("1"), { ...ndjson, lockedUntil })).rejects.toThrow(
      "InvalidRequest",
    );
  });
});

describe("unclear answers of a bucket", () => {
  it("a put whose answer was lost is decided by its second try", async () => {
    let puts = 0;
    const fake = createFakeObjects({
      faults: (operation) => (operation === "put" && puts++ === 0 ? { "reset-after": 1 } : {}),
    });
    expect(await fake.objects().create("a/1", bytes("1"), ndjson)).toBe("exists");
    expect(fake.tally.all()).toMatchObject({ "sent.put": 2, "sent.head": 1 });
  });

  it("a put that meets another one, or arrives damaged, is tried again", async () => {
    for (const fault of ["conflict", "damaged", "slow-down"] as const) {
      let puts = 0;
      const fake = createFakeObjects({ faults: () => (puts++ === 0 ? { [fault]: 1 } : {}) });
      expect(await fake.objects().create("a/1", bytes("1"), ndjson)).toBe("created");
      expect(fake.tally.get(`fault.${fault}`)).toBe(1);
    }
  });

  it("a bucket that gives no verdict is a problem that a client may repeat", async () => {
    const fake = createFakeObjects({ faults: () => ({ "slow-down": 1 }) });
    const objects = fake.objects();
    const asked = [
      objects.create("a/1", bytes("1"), ndjson),
      objects.head("a/1"),
      objects.read("a/1", 0, 1),
      objects.list("a/", undefined, 1),
      objects.remove(["a/1"]),
    ];
    for (const answer of await Promise.allSettled(asked)) {
      const reason: unknown = answer.status === "rejected" ? answer.reason : undefined;
      expect(reason).toBeInstanceOf(LedgerError);
      expect(reason).toMatchObject({ code: "archive-unavailable", retryAfterSeconds: 1 });
    }
    expect(fake.tally.get("sent.put")).toBe(6);
  });

  it("a refusal of access is thrown at once, for an operator", async () => {
    const fake = createFakeObjects();
    const refused = fake.objects();
    fake.stored.get = () => {
      throw s3Error("AccessDenied", 403);
    };
    await expect(refused.read("a/1", 0, 1)).rejects.toMatchObject({ retryAfterSeconds: 30 });
    expect(fake.tally.get("sent.get")).toBe(1);
  });

  it("racing writers under every fault leave one whole object", async () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed);
      const time = createVirtualTime(random.fork("time"));
      const fake = createFakeObjects({
        seed,
        time,
        latencyMs: (of) => of.between(1, 80),
        faults: () => Object.fromEntries(objectFaults.map((fault) => [fault, 0.05])),
      });
      const writers = [1, 2, 3].map((n) => fake.objects(time.process(`writer-${n}`)));
      const body = bytes(`content of ${seed}`);
      const results = await time.finish(
        Promise.all(writers.map((each) => each.create("a/1", body, ndjson).catch(() => "unclear"))),
      );
      await time.run();
      expect(results.filter((result) => result === "created").length).toBeLessThanOrEqual(1);
      if (results.some((result) => result !== "unclear")) {
        expect(fake.stored.get("a/1")?.body).toEqual(body);
      }
    }
  });
});
