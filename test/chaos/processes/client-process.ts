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
import { createBox, NUMBERS_EACH, sharedMs } from "./box.ts";
import { openHistoryFile } from "./history-file.ts";

/** What one client process does. */
export type Part = {
  readonly role: "publisher" | "conditional" | "follower" | "bootstrapper";
  readonly name: string;
  /** Counted over all processes; no two have the same. */
  readonly life: number;
  readonly seed: string;
  /** Of the files that the history is written to. */
  readonly folder: string;
  readonly urls: readonly string[];
  readonly batch: number;
  readonly singlePuts: boolean;
  /** Of a publisher: how many publish at once, and how many events per second at most. */
  readonly publishers: number;
  readonly rate: number;
};

/** What the parent sends to a client process. The process answers `ask`. */
export type Command =
  | { readonly urls: readonly string[] }
  /** To end its work. */
  | { readonly ask: "end" }
  /** To read on until it is caught up; answers whether it got there. */
  | { readonly ask: "catch-up" };

/**
 * One client process. Everything that it does and receives is in its file before it goes on, so it
 * can be killed at any moment. Started again, it goes on as a client does that had kept its view
 * and the cursor of it.
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

/** Goes on as what the life before this one kept. */
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

/** Few events at a time: others change their keys, so an expectation of many keys never holds. */
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

/** A new subscriber takes the whole state and follows until it has caught up, again and again. */
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

const work = {
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
  const caughtUp = command.ask === "end" || (await catchUp(world, reader, 5_000));
  process.send?.({ caughtUp });
});
process.send?.({});
