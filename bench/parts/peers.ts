import { rmSync } from "node:fs";
import type { Loaded } from "../load.ts";
import { HTTP_PEER, PEERS, type Peer } from "../peers/peers.ts";
import { makeFolder, runLoad } from "../separate-stack.ts";
import type { Load, Target } from "../target.ts";

export type PeerSizes = {
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly until: Load["until"];
  readonly warmUpMs: number;
};

type Rates = Pick<Loaded, "eventsPerSecond" | "latencyMs">;

/** One round: 64 producers of single events, one producer of them, and 8 producers of 100 each. */
export type PeerRound = { readonly many: Rates; readonly one: Rates; readonly batches: Rates };

export type PeerFigures = Pick<Peer, "name" | "durability" | "isSynced"> & {
  readonly rounds: readonly PeerRound[];
};

export type Missing = { readonly name: string; readonly why: string };

export const MANY = 64;
export const BATCH = { producers: 8, n: 100 } as const;

/**
 * Publishes to each peer, with the same client and on the same disk, one peer after the other.
 * From the second round on, each load follows the batches of the round before.
 */
export async function measurePeers(
  { peers, rounds, until, warmUpMs }: PeerSizes,
  say: (line: string) => void,
): Promise<{ measured: PeerFigures[]; missing: Missing[] }> {
  const measured: PeerFigures[] = [];
  const missing: Missing[] = [];
  for (const peer of peers) {
    const { name, durability, isSynced } = peer;
    try {
      await peer.obtain();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      missing.push({ name, why });
      say(`${name} is left out: ${why}`);
      continue;
    }
    const folder = makeFolder();
    const running = await peer.start(folder);
    try {
      const done: PeerRound[] = [];
      for (let round = 1; round <= rounds; round++) {
        const publish = async (producers: number, n: number): Promise<Rates> => {
          const target = batched(running.target, n);
          const load = { target, producers, n, until, warmUpMs };
          const { eventsPerSecond, latencyMs } = await runLoad(load);
          return { eventsPerSecond, latencyMs };
        };
        const [many, one] = [await publish(MANY, 1), await publish(1, 1)];
        const batches = await publish(BATCH.producers, BATCH.n);
        done.push({ many, one, batches });
        const rates = [many, one, batches].map(({ eventsPerSecond }) => eventsPerSecond);
        say(`${name}, round ${round}: ${rates.join(", ")} events/s`);
      }
      measured.push({ name, durability, isSynced, rounds: done });
    } finally {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { measured, missing };
}

/** Kinesis has a different operation for a request with several events. */
const batched = (target: Target, n: number): Target => {
  const operation = target.headers["X-Amz-Target"];
  if (operation === undefined || n === 1) return target;
  return { ...target, headers: { ...target.headers, "X-Amz-Target": `${operation}s` } };
};

/** The statements that the figures must prove, each with its result. */
export function judgePeers(measured: readonly PeerFigures[]): { said: string; holds: boolean }[] {
  const [own, ...others] = measured;
  if (own === undefined || own.name !== PEERS[0]?.name) return [];
  const best = ({ rounds }: PeerFigures) =>
    Math.max(...rounds.map(({ batches }) => batches.eventsPerSecond));
  const naive = others.find(({ name }) => name === PEERS[1]?.name);
  const synced = others.filter(({ isSynced }) => isSynced).toSorted((a, b) => best(b) - best(a));
  const rivals = [
    [synced[0], "the fastest peer that syncs"],
    [synced.find(({ name }) => name === HTTP_PEER), "which syncs and speaks HTTP itself"],
  ] as const;
  const nats = others.find(({ name }) => name.startsWith("NATS"));
  const verdicts: { said: string; holds: boolean }[] = [];
  if (naive !== undefined) {
    const times = best(own) / best(naive);
    const said = `At n = ${BATCH.n}, ${times.toFixed(1)} times the events of "${naive.name}" (10 are the goal)`;
    verdicts.push({ said, holds: times >= 10 });
  }
  for (const [rival, what] of rivals) {
    if (rival === undefined) continue;
    const times = best(own) / best(rival);
    const said = `At n = ${BATCH.n}, ${times.toFixed(2)} times the events of ${rival.name}, ${what} (1 is the goal)`;
    verdicts.push({ said, holds: times >= 1 });
  }
  if (nats !== undefined) {
    const shares = own.rounds.map(
      ({ many }, round) => many.eventsPerSecond / (nats.rounds[round]?.many.eventsPerSecond ?? 0),
    );
    const least = Math.min(...shares);
    const said = `${MANY} producers of single events: in its worst round ${(least * 100).toFixed(0)} % of ${nats.name} (50 % are the goal)`;
    verdicts.push({ said, holds: least >= 0.5 });
  }
  return verdicts;
}
