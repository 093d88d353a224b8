import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import type { Copy } from "./tap.ts";
import type { Api, World } from "./world.ts";

/** The history of the table's restores. */
export type Restores = {
  count: number;
  readonly copies: (Copy & { readonly table: number })[];
  /** For each restore, the number of the table that its copy comes from. 0 is the first table. */
  readonly of: number[];
  /** Settles when no restore is in progress. */
  running: Promise<void>;
  /** True while no process may be started except the operator's. */
  stopped: boolean;
};

export const noRestores = (): Restores => ({
  count: 0,
  copies: [],
  of: [],
  running: Promise.resolve(),
  stopped: false,
});

/** How often the copy is older than the last restore. */
const OLDER = 0.2;
/** How often the copy has the name of the table. The operator then keeps all processes stopped. */
const IN_PLACE = 0.25;

/**
 * Copies the table, waits for a while, and puts the copy into use. Everything written in between is
 * lost, as after a point-in-time restore. Then it follows docs/operations.md.
 */
export async function runRestore(world: World, random: SeededRandom): Promise<void> {
  const { restores } = world;
  await world.sleep(random.between(0, 4_000));
  await restores.running;
  if (world.isOver()) return;
  const copy = await copyTable(world);
  await world.sleep(random.pick([0, 300, 2_000, 6_000]));
  await restores.running;
  if (world.isOver()) return;
  const good = restores.copies.filter(isGood(world));
  const used = random.chance(OLDER) ? random.pick(good) : copy;
  if (!good.includes(used)) return;
  restores.running = restore(world, random, used);
  await restores.running;
}

/**
 * Returns whether an operator may use a copy. A copy that is older than the last restore does not
 * know which numbers that restore used. Only the clock separates them, so the clocks must agree. No
 * earlier copy can know the numbers of a restore of a restored table.
 */
const isGood =
  ({ restores: { of }, plan }: World) =>
  ({ table }: { readonly table: number }): boolean =>
    (plan.skewMs === 0 || of.length === table) && of.slice(table).every((each) => each <= table);

/** Copies the table at a moment at which no transaction is partly written. */
async function copyTable({ store, tap, restores, recorder, sleep }: World) {
  while (store.isTransacting()) await sleep(1);
  const id = restores.copies.length + 1;
  const copy = { id, items: store.items(), names: tap.names(), table: restores.count };
  restores.copies.push(copy);
  recorder.note({ op: "copied", copy: id });
  return copy;
}

async function restore(
  world: World,
  random: SeededRandom,
  copy: Restores["copies"][number],
): Promise<void> {
  const { apis, store, tap, restores, recorder } = world;
  const number = ++restores.count;
  restores.of.push(copy.table);
  const isInPlace = random.chance(IN_PLACE);
  restores.stopped = true;
  for (const { process } of apis) process.kill();
  if (random.chance(0.5)) await world.sleep(random.between(0, 2_000));
  store.restore(copy.items, isInPlace ? store.tableName() : `restored-${number}`);
  recorder.note({ op: "restored", copy: copy.id, lives: tap.restored(copy, number) });
  recorder.count(isInPlace ? "nemesis.restore-in-place" : "nemesis.restore");
  const restart = (): void => {
    restores.stopped = false;
    for (const [index, { name }] of apis.entries()) apis[index] = world.startApi(name);
  };
  if (isInPlace) {
    const operator = world.startApi("operator");
    await complete(world, random, () => operator, `restore ${number}`);
    operator.process.kill();
    restart();
  } else {
    restart();
    await world.sleep(random.pick([0, 0, 1_000]));
    await complete(world, random, () => world.anyApi(random));
  }
}

/** Repeats the operation until it is done. */
async function complete(
  world: World,
  random: SeededRandom,
  api: () => Api,
  name?: string,
): Promise<void> {
  for (let done = false; !done; ) {
    const budgetMs = random.pick([0, 50, 15_000]);
    const call = world.call(api(), (ledger) => ledger.completeRestore(name, { budgetMs }));
    done = await call.then(
      (answer) => answer.done,
      (error: unknown) => {
        noteRefused(world, error);
        return false;
      },
    );
    world.recorder.count(done ? "restored.done" : "restored.again");
    if (!done) await world.sleep(random.between(10, 400));
  }
}

function noteRefused({ recorder, fail }: World, error: unknown): void {
  const name = error instanceof Error ? error.name : "unknown";
  const code = error instanceof Error && "code" in error ? String(error.code) : name;
  recorder.count(`restored.${code}`);
  if (name === "LedgerError" || name === "NoAnswer") return;
  fail(`internal: restored: ${error instanceof Error ? error.stack : error}`);
}
