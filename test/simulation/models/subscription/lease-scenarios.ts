import { createLeaseWorld, type LeaseWorld } from "./lease-world.ts";

/** A race of two workers in one fixed order. `play` returns the broken rules. */
export type LeaseScenario = {
  readonly name: string;
  readonly play: () => Promise<string[]>;
};

const WRITE = /^send \d+ - update .*OFFSET#P0/;

/**
 * Holds the next write to the offset row, does something meanwhile, and then releases the write.
 */
async function overtake<T>(
  world: LeaseWorld,
  late: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let open = true;
  world.setGate(async (label) => {
    if (!open || !WRITE.test(label)) return;
    open = false;
    arrived.resolve();
    await released.promise;
  });
  const result = late();
  await Promise.race([arrived.promise, result]);
  await meanwhile();
  released.resolve();
  return result;
}

/** Returns the values that differ from the expected ones, by name. */
const differences = (found: Record<string, unknown>, expected: Record<string, unknown>): string[] =>
  Object.entries(expected).flatMap(([name, value]) =>
    JSON.stringify(found[name]) === JSON.stringify(value)
      ? []
      : [`${name} is ${JSON.stringify(found[name])}, not ${JSON.stringify(value)}`],
  );

/** The rules of leases, each with the race that it is for. */
export const leaseScenarios: readonly LeaseScenario[] = [
  {
    name: "a commit that is overtaken by the next holder moves nothing",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      const { cursor } = await one.poll("a");
      const outcome = await overtake(
        world,
        () => one.commit(cursor),
        async () => {
          world.endLeases();
          await two.poll("b");
        },
      );
      const { n: next, o: owner } = world.row();
      return differences({ outcome, next, owner }, { outcome: "lease-lost", next: 1, owner: "b" });
    },
  },
  {
    name: "a commit of no worker moves nothing under a worker",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      const { cursor } = await one.poll(undefined);
      const outcome = await overtake(
        world,
        () => one.commit(cursor),
        () => two.poll("b"),
      );
      const { n: next } = world.row();
      return differences({ outcome, next }, { outcome: "lease-lost", next: 1 });
    },
  },
  {
    name: "a lease that its holder renews in time is not taken",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      await one.poll("a");
      world.endLeases();
      const { sequences } = await overtake(
        world,
        () => two.poll("b"),
        () => one.poll("a"),
      );
      const { o: owner, k: token } = world.row();
      return differences({ sequences, owner, token }, { sequences: [], owner: "a", token: 1 });
    },
  },
  {
    name: "a lease that was taken and given up meanwhile is not taken by what was seen before",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two, three] = [world.server("one"), world.server("two"), world.server("three")];
      await one.poll("a");
      world.endLeases();
      const { sequences } = await overtake(
        world,
        () => three.poll("c"),
        async () => {
          await two.poll("b");
          await two.leave("b");
        },
      );
      const { o: owner, k: token } = world.row();
      return differences(
        { sequences, owner, token },
        { sequences: [], owner: undefined, token: 2 },
      );
    },
  },
  {
    name: "a worker that gets a lease back begins after what is committed, not after what it read before",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      const { cursor } = await one.poll("a");
      world.endLeases();
      await two.poll("b");
      await two.leave("b");
      const { sequences } = await one.poll("a", cursor);
      return differences({ sequences }, { sequences: [1, 2] });
    },
  },
  {
    name: "a worker that has left commits nothing once another has taken over",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      const { cursor } = await one.poll("a");
      await one.leave("a");
      await two.poll("b");
      const outcome = await one.commit(cursor);
      const { n: next } = world.row();
      return differences({ outcome, next }, { outcome: "lease-lost", next: 1 });
    },
  },
  {
    name: "a lease that a clock an hour ahead has written ends a lease after it is seen",
    play: async () => {
      const world = await createLeaseWorld();
      const [ahead, two] = [world.server("ahead", HOUR_MS), world.server("two")];
      await ahead.poll("a");
      const { sequences: before } = await two.poll("b");
      world.endLeases();
      const { sequences } = await two.poll("b");
      const { o: owner } = world.row();
      return differences(
        { before, sequences, owner },
        { before: [], sequences: [1, 2], owner: "b" },
      );
    },
  },
  {
    name: "a lease that a late clock renews is not taken",
    play: async () => {
      const world = await createLeaseWorld();
      const [one, two] = [world.server("one"), world.server("two")];
      const late = world.server("late", -HOUR_MS);
      await one.poll("a");
      await two.poll("b");
      await late.poll("a");
      world.endLeases();
      await late.poll("a");
      const { sequences } = await two.poll("b");
      const { o: owner, k: token } = world.row();
      return differences({ sequences, owner, token }, { sequences: [], owner: "a", token: 1 });
    },
  },
];

const HOUR_MS = 3_600_000;

/** Plays all scenarios. Returns which of them failed, and how. */
export async function playLeaseScenarios(): Promise<{ name: string; detail: string }[]> {
  const broken: { name: string; detail: string }[] = [];
  for (const { name, play } of leaseScenarios) {
    for (const detail of await play()) broken.push({ name, detail });
  }
  return broken;
}
