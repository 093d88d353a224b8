import { join } from "node:path";
import { seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { runPublisher } from "../../simulation/world/clients.ts";
import { runConditionalPublisher } from "../../simulation/world/conditional-publisher.ts";
import {
  catchUp,
  crash,
  type Follower,
  follow,
  newFollower,
} from "../../simulation/world/readers.ts";
import { createRecorder, lineOf } from "../../simulation/world/recorder.ts";
import { newTeam, newWorker, type Team } from "../../simulation/world/team.ts";
import { work as doWork, processPage, receive, settle } from "../../simulation/world/worker.ts";
import { createBox, LEASE_SECONDS, NUMBERS_EACH, sharedMs, TEAM } from "./box.ts";
import { openHistoryFile } from "./history-file.ts";

/** The task of one client process. */
export type Part = {
  readonly role: "publisher" | "conditional" | "follower" | "bootstrapper" | "worker";
  readonly name: string;
  /** The number of this life, counted over all processes. It is unique. */
  readonly life: number;
  readonly seed: string;
  /** The folder of the history files. */
  readonly folder: string;
  readonly urls: readonly string[];
  readonly batch: number;
  readonly singlePuts: boolean;
  /**
   * For a publisher: how many publishes run at once, and the maximum number of events per second.
   */
  readonly publishers: number;
  readonly rate: number;
};

/** A message from the parent to a client process. The process answers `ask`. */
export type Command =
  | { readonly urls: readonly string[] }
  /** Asks the process to end its work. */
  | { readonly ask: "end" }
  /** Asks the process to read until it is caught up. The answer says whether it succeeded. */
  | { readonly ask: "catch-up" };

/**
 * One client process. It writes everything that it does and receives to its file before it
 * continues, so it can be killed at any moment. Started again, it continues like a client that kept
 * its view and the cursor of the view.
 */
const part: Part = JSON.parse(process.env.PART ?? "{}");
const { role, name, life, seed } = part;
let { urls } = part;
process.on("disconnect", () => process.exit(0));

const file = openHistoryFile(join(part.folder, `${name}.jsonl`));
const numbers = life * NUMBERS_EACH;
const recorder = createRecorder(sharedMs, {
  calls: numbers,
  add: (line) => file.add({ line }),
  count: (count) => file.add({ count }),
});
const { world, published, end } = createBox({
  seed,
  batch: part.batch,
  singlePuts: part.singlePuts,
  recorder,
  events: numbers,
  random: seededRandom(`${seed} ${name} ${life}`),
  urls: () => urls,
  keep: (keeps, note) =>
    file.add(note === undefined ? { keeps } : { keeps, line: lineOf(note, sharedMs()) }),
  fail: (failed) => file.add({ failed }),
});

/** Continues with the state that the previous life kept. */
function comeBack(): Follower | undefined {
  const { kept } = file;
  if (kept === undefined) return undefined;
  const follower = { ...kept, busy: false };
  crash(world, follower, world.random);
  return follower;
}

let reader = comeBack() ?? newFollower(role === "follower" ? name : nameOfRound(0), startOf());

function startOf(): Follower["start"] {
  return role === "follower" ? "earliest" : "bootstrap";
}

function nameOfRound(round: number): string {
  return `${name}-${life}.${round}`;
}

/**
 * Conditional publishes have few events, because other publishers change the same keys and an
 * expectation of many keys would never hold.
 */
const few = { ...world, plan: { ...world.plan, burst: 3 } };

async function publish(run: (name: string) => Promise<void>): Promise<void> {
  const beganMs = sharedMs();
  const isAhead = () => published() > (part.rate * (sharedMs() - beganMs)) / 1_000;
  const one = async (index: number): Promise<void> => {
    for (let round = 0; !world.isOver(); round++) {
      if (isAhead()) await world.sleep(20);
      else await run(`${name}.${index}-${life}.${round}`);
    }
  };
  await Promise.all(Array.from({ length: part.publishers }, (_, index) => one(index)));
}

async function readOn(): Promise<void> {
  while (!world.isOver()) await follow(world, reader, 5);
}

/**
 * Repeatedly starts a new subscriber that takes the whole state and follows until it has caught up.
 */
async function bootstrap(): Promise<void> {
  for (let round = 1; !world.isOver(); ) {
    if (!(await catchUp(world, reader, 20))) {
      await world.sleep(200);
      continue;
    }
    if (!world.isOver()) recorder.count("bootstrap.caught-up");
    await world.sleep(1_000);
    if (world.isOver()) return;
    reader = newFollower(nameOfRound(round++), startOf());
    world.keep(reader);
  }
}

/** This process is one of the workers. The subscription exists already. */
const worker = newWorker(name);
const team: Team = {
  ...newTeam({ ...world, plan: { ...world.plan, workers: 0 } }, TEAM),
  exists: true,
  workers: [worker],
};

async function workOn(): Promise<void> {
  while (!world.isOver()) await doWork(world, team, worker, 5);
}

/** Works until nothing comes for longer than the lease of a worker that is gone. */
async function finishWork(): Promise<boolean> {
  const { random } = world;
  for (let idleMs = 0; idleMs < 2_000 * LEASE_SECONDS; ) {
    const beganMs = sharedMs();
    const page = await receive(world, team, worker, { random, limit: 1_000 });
    if (page !== undefined) {
      await processPage(world, team, worker, { page, random, failing: 0 });
      await settle(world, team, worker, { page, random });
    }
    await world.sleep(200);
    idleMs = page?.events.length === 0 ? idleMs + sharedMs() - beganMs : 0;
  }
  return true;
}

const work = {
  worker: workOn,
  publisher: () => publish((as) => runPublisher(world, as)),
  conditional: () => publish((as) => runConditionalPublisher(few, as)),
  follower: readOn,
  bootstrapper: bootstrap,
}[role]();
process.on("message", async (command: Command) => {
  if ("urls" in command) {
    urls = command.urls;
    return;
  }
  end();
  await work;
  const caughtUp =
    command.ask === "end" ||
    (role === "worker" ? await finishWork() : await catchUp(world, reader, 5_000));
  process.send?.({ caughtUp });
});
process.send?.({});
