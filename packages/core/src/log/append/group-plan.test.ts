import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Wait, wait } from "../../../../../test/support/append-requests.ts";
import { planGroups, planJoiners, resourcesOf } from "./group-plan.ts";

const names = (groups: readonly (readonly Wait[])[]) =>
  groups.map((group) => group.map(({ name }) => name).join("")).join(" ");

const groupsOf = (waiting: readonly Wait[], busy: readonly string[] = []) =>
  names(planGroups(waiting, new Set(busy)));

describe("planGroups", () => {
  it("requests of one partition form a group, and partitions proceed in parallel", () => {
    expect(groupsOf([wait("a", [0]), wait("b", [1]), wait("c", [0])])).toBe("ac b");
  });

  it("no group starts on a busy partition", () => {
    expect(groupsOf([wait("a", [0]), wait("b", [1])], ["P0"])).toBe("b");
    expect(groupsOf([wait("a", [0, 1]), wait("b", [1]), wait("c", [2])], ["P0"])).toBe("c");
  });

  it("no request overtakes one that needs several partitions", () => {
    expect(groupsOf([wait("a", [0]), wait("b", [0, 1]), wait("c", [0]), wait("d", [1])])).toBe("a");
    expect(groupsOf([wait("a", [0, 1]), wait("b", [0]), wait("c", [2])])).toBe("a c");
  });

  it("no request overtakes one that does not fit into the open group", () => {
    const large = wait("b", [0], { bytes: 300 * 1_024 });
    expect(groupsOf([wait("a", [0]), large, wait("c", [0])])).toBe("a");
  });

  it.each([
    ["bytes", { bytes: 150 * 1_024 }, { bytes: 150 * 1_024 }, { bytes: 150 * 1_024 + 1 }],
    ["events", { events: 999 }, { events: 1 }, { events: 2 }],
  ])("a group grows up to the cap of %s, inclusive", (_, first, fits, exceeds) => {
    expect(groupsOf([wait("a", [0], first), wait("b", [0], fits)])).toBe("ab");
    expect(groupsOf([wait("a", [0], first), wait("b", [0], exceeds)])).toBe("a");
  });

  it("a group has at most 25 idempotency keys", () => {
    const keyed = Array.from({ length: 26 }, (_, n) => wait("k", [0], { key: `${n}` }));
    expect(planGroups(keyed, new Set())[0]).toHaveLength(25);
  });

  it("a request that is larger than any group starts alone", () => {
    expect(groupsOf([wait("a", [0], { bytes: 4_000_000 }), wait("b", [0])])).toBe("a");
  });

  it("an idempotency key is never in flight twice", () => {
    const [a, b] = [wait("a", [0], { key: "x" }), wait("b", [0], { key: "x" })];
    expect(groupsOf([a, b, wait("c", [0])])).toBe("a");
    expect(groupsOf([a, wait("b", [1], { key: "x" }), wait("c", [1])])).toBe("a");
    expect(groupsOf([a, wait("c", [0])], ["Kx"])).toBe("");
  });

  it("every resource keeps its order, whatever arrives and whatever is busy", () => {
    const partition = fc.integer({ min: 0, max: 3 });
    const request = fc.record({
      partitions: fc.uniqueArray(partition, { minLength: 1, maxLength: 3 }),
      key: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      bytes: fc.constantFrom(1, 100_000, 200_000),
    });
    const busy = fc.subarray(["P0", "P1", "Kx"]);
    return fc.assert(
      fc.property(fc.array(request, { maxLength: 12 }), busy, (requests, taken) => {
        const waiting = requests.map(({ partitions, key, bytes }, n) =>
          wait(`${n}`, partitions, { bytes, ...(key === undefined ? {} : { key }) }),
        );
        assertFair(waiting, planGroups(waiting, new Set(taken)), new Set(taken));
      }),
      { numRuns: 2_000 },
    );
  });
});

/**
 * Asserts that no request on a busy partition starts, that groups share no partition, and that no
 * request overtakes an earlier one.
 */
function assertFair(waiting: readonly Wait[], groups: Wait[][], busy: ReadonlySet<string>): void {
  const groupOf = new Map(groups.flatMap((group, n) => group.map((item) => [item, n] as const)));
  const owner = new Map<string, number>();
  const blocked = new Set(busy);
  for (const item of waiting) {
    const group = groupOf.get(item);
    for (const resource of resourcesOf(item.request)) {
      if (group === undefined) {
        blocked.add(resource);
        continue;
      }
      expect(blocked.has(resource)).toBe(false);
      expect(owner.get(resource) ?? group).toBe(group);
      owner.set(resource, group);
    }
  }
  for (const group of groups) {
    const keys = group.flatMap(({ request }) => request.idempotency?.key ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    if (group.length > 1)
      expect(group.every(({ request }) => request.partitions.length === 1)).toBe(true);
  }
  const free = waiting[0] && resourcesOf(waiting[0].request).every((each) => !busy.has(each));
  if (free) expect(groups[0]?.[0]).toBe(waiting[0]);
}

describe("planJoiners", () => {
  const joiners = (group: Wait[], waiting: Wait[], busy: string[] = ["P0"]) =>
    names([planJoiners(group, waiting, new Set(busy))]);
  const group = [wait("a", [0])];

  it("the first waiting requests of the same partition join", () => {
    expect(joiners(group, [wait("b", [0]), wait("c", [1]), wait("d", [0])])).toBe("bd");
  });

  it("joining stops at the first request that must wait", () => {
    const [b, c] = [wait("b", [0]), wait("c", [0])];
    expect(joiners(group, [b, wait("x", [0, 1]), c])).toBe("b");
    expect(joiners(group, [b, wait("x", [0], { bytes: 300 * 1_024 }), c])).toBe("b");
    expect(joiners(group, [b, wait("x", [0], { key: "k" }), c], ["P0", "Kk"])).toBe("b");
  });

  it("no other request joins a request of several partitions", () => {
    expect(joiners([wait("a", [0, 1])], [wait("b", [0])])).toBe("");
  });

  it("an idempotency key joins once", () => {
    const [b, c] = [wait("b", [0], { key: "k" }), wait("c", [0], { key: "k" })];
    expect(joiners(group, [b, c])).toBe("b");
  });
});
