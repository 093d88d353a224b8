import { parseArgs } from "node:util";
import fc from "fast-check";
import { type CoreOfLists, loadCoreOfLists } from "./core-of-lists.ts";
import { createWorld, type Scene, type SmallEvent, type SmallLog } from "./difference-world.ts";

/** A scene, and a number for every decision of the schedule. */
type Program = {
  readonly log: SmallLog;
  readonly since: number;
  readonly choices: readonly number[];
};

/** The result of programs, or of all orders of steps. */
export type DifferenceRun = {
  readonly runs: number;
  readonly states: number;
  readonly ended: number;
  readonly failure?: string;
};

const event: fc.Arbitrary<SmallEvent> = fc.record({
  key: fc.constantFrom("a", "b", "c", "d"),
  deletes: fc.nat(3).map((n) => n === 0),
});
const batch = fc.array(event, { minLength: 1, maxLength: 3 });
const programs: fc.Arbitrary<Program> = fc.record({
  log: fc.array(batch, { minLength: 2, maxLength: 10, size: "max" }),
  since: fc.nat(12),
  choices: fc.array(fc.nat(1_000_000), { minLength: 20, maxLength: 120, size: "max" }),
});

/** After this many steps, a program that goes on with its first possible step must have ended. */
const STEPS_MAX = 3_000;

/** Runs one program, and then everything to its end. Throws when a promise does not hold. */
async function runProgram(core: CoreOfLists, { log, since, choices }: Program): Promise<void> {
  const end = 1 + log.reduce((sum, { length }) => sum + length, 0);
  const world = createWorld(core, log, {
    since: 1 + (since % end),
    crashes: 3,
    listers: 2,
    drops: true,
  });
  for (const choice of choices) {
    const steps = world.steps(choice);
    const step = steps[choice % steps.length];
    if (step !== undefined) await world.run(step);
  }
  for (let steps = 0; !world.isOver(); steps++) {
    if (steps > STEPS_MAX) throw new Error("the reader never ends");
    const found = world.steps(0).filter(({ name }) => !/^(crash|drop)/.test(name));
    const step = found.find(({ name }) => name.includes("reader")) ?? found[0];
    if (step === undefined) throw new Error("nothing can happen");
    await world.run(step);
  }
}

async function runRandom(core: CoreOfLists, runs: number, seed: number): Promise<DifferenceRun> {
  const property = fc.asyncProperty(programs, (program) => runProgram(core, program));
  const { numRuns, failed, errorInstance, counterexample } = await fc.check(property, {
    numRuns: runs,
    seed,
    // Of a mutant it matters only that it fails.
    endOnFailure: process.env.MUTATION !== undefined,
  });
  const done = { runs: numRuns, states: 0, ended: numRuns };
  if (!failed) return done;
  const { stack = "" } = errorInstance as Error;
  return { ...done, failure: `${stack.slice(0, 900)} in ${JSON.stringify(counterexample)}` };
}

/**
 * Explores every order of steps over one log. Two orders that lead to the same table, and to
 * processes that have seen the same, go on in the same way, so only one of them is followed.
 */
async function explore(core: CoreOfLists, log: SmallLog, scene: Scene) {
  const known = new Set<string>();
  const open: (readonly number[])[] = [[]];
  let ended = 0;
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const world = createWorld(core, log, scene);
    for (const choice of path) {
      const step = world.steps(0)[choice];
      if (step !== undefined) await world.run(step);
    }
    for (;;) {
      const state = world.state();
      if (known.has(state)) break;
      known.add(state);
      if (world.isOver()) {
        ended++;
        break;
      }
      const steps = world.steps(0);
      const [first] = steps;
      if (first === undefined) break;
      for (let choice = 1; choice < steps.length; choice++) open.push([...path, choice]);
      await world.run(first);
      path = [...path, 0];
    }
  }
  return { states: known.size, ended };
}

/** What may happen in every order: all orders of everything would be too many. */
const SCENES = {
  crashes: { crashes: 1, listers: 1, drops: false },
  drops: { crashes: 0, listers: 1, drops: true },
};

/** Yields all logs of a number of batches of one event, over two keys. */
function* smallLogs(length: number): Generator<SmallLog> {
  const letters = ["a", "b"].flatMap((key) => [false, true].map((deletes) => ({ key, deletes })));
  for (let number = 0; number < letters.length ** length; number++) {
    const log: SmallEvent[][] = [];
    for (let rest = number; log.length < length; rest = Math.floor(rest / letters.length)) {
      log.push([letters[rest % letters.length] ?? { key: "a", deletes: false }]);
    }
    // The keys are interchangeable.
    if (log[0]?.[0]?.key === "a") yield log;
  }
}

async function runAll(
  core: CoreOfLists,
  length: number,
  scene: keyof typeof SCENES,
): Promise<DifferenceRun> {
  let [runs, states, ended] = [0, 0, 0];
  for (const log of smallLogs(length)) {
    for (let since = 1; since <= length; since++) {
      try {
        const found = await explore(core, log, { since, ...SCENES[scene] });
        states += found.states;
        ended += found.ended;
        runs++;
      } catch (error) {
        const { stack = "" } = error as Error;
        return {
          runs,
          states,
          ended,
          failure: `${stack.slice(0, 900)} in ${JSON.stringify({ log, since })}`,
        };
      }
    }
  }
  return { runs, states, ended };
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    /** Explores all orders of steps over logs of this length, instead of random programs. */
    length: { type: "string" },
    scene: { type: "string", default: "crashes" },
  },
});
const core = await loadCoreOfLists();
const result =
  values.length === undefined
    ? await runRandom(core, Number(values.runs), Number(values.seed))
    : await runAll(core, Number(values.length), values.scene === "drops" ? "drops" : "crashes");
console.log(JSON.stringify(result));
