import type { Command, Part } from "./client-process.ts";
import { type Killable, startKillable } from "./killable.ts";

/** The client processes of a run. */
export type Clients = {
  readonly all: readonly Killable[];
  /** The number of workers. */
  readonly workers: number;
  /** Sends the current URLs of the servers to the running processes. */
  tellUrls(): void;
  /** Lets the publishers finish their current requests and then stop. */
  endPublishers(): Promise<unknown>;
  /**
   * Lets the other clients read until they are caught up. Returns false when one of them does not
   * succeed.
   */
  catchUp(): Promise<boolean>;
  /** Lets the workers finish. Returns false when one of them does not succeed. */
  drain(): Promise<boolean>;
};

export type ClientsOptions = Pick<Part, "seed" | "folder" | "batch" | "singlePuts" | "rate"> & {
  readonly publishers: number;
  /** The number of workers that share a subscription. */
  readonly workers: number;
  readonly bootstrappers: number;
  readonly urls: () => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly onEnd: (what: string) => void;
};

const ROLES: readonly (readonly [Part["role"], count: number])[] = [
  ["publisher", 2],
  ["conditional", 1],
  ["follower", 2],
];

/** The number of concurrent conditional publishers of the same keys. */
const CONDITIONAL = 4;

export async function startClients(options: ClientsOptions): Promise<Clients> {
  const { publishers, workers, bootstrappers, rate, urls, env: common, onEnd, ...rest } = options;
  let lives = 0;
  const more = [["bootstrapper", bootstrappers] as const, ["worker", workers] as const];
  const roles = [...ROLES, ...more];
  const starting = roles.flatMap(([role, count]) =>
    Array.from({ length: count }, async (_, index) => {
      const name = `${role}-${index}`;
      const env = (): NodeJS.ProcessEnv => {
        const share =
          role === "conditional"
            ? { publishers: CONDITIONAL, rate: rate / 10 }
            : { publishers: Math.ceil(publishers / count), rate: rate / count };
        const part: Part = { ...rest, ...share, role, name, life: ++lives, urls: urls() };
        return { ...common, PART: JSON.stringify(part) };
      };
      const killable = await startKillable({ name, program: "client-process.ts", env, onEnd });
      return { role, killable };
    }),
  );
  const started = await Promise.all(starting);
  const of = (wanted: (role: Part["role"]) => boolean) =>
    started.flatMap(({ role, killable }) => (wanted(role) ? [killable] : []));
  const ask = async (killables: readonly Killable[], command: Command & { ask: string }) => {
    const answers = await Promise.all(
      killables.map((killable) => killable.ask<{ caughtUp: boolean }>(command)),
    );
    return answers.every(({ caughtUp }) => caughtUp);
  };
  const all = of(() => true);
  const publishes = (role: Part["role"]) => role === "publisher" || role === "conditional";
  const publishing = of(publishes);
  const reading = of((role) => !publishes(role) && role !== "worker");
  const working = of((role) => role === "worker");
  return {
    all,
    workers,
    tellUrls: () => {
      for (const killable of all) killable.tell({ urls: urls() } satisfies Command);
    },
    endPublishers: () => ask(publishing, { ask: "end" }),
    catchUp: () => ask(reading, { ask: "catch-up" }),
    drain: () => ask(working, { ask: "catch-up" }),
  };
}
