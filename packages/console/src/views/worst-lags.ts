import { useRef } from "preact/hooks";
import { LedgerProblem } from "../../../sdk/src/index.ts";
import { api, type Worst } from "../api.ts";
import { useLoad } from "../parts/load.ts";
import { nextToAsk } from "../turns.ts";

/** The lags of a stream take a request, so only so many streams are asked in a turn. */
export const ASKED_A_TURN = 30;
const TURN_EVERY_MS = 15_000;

export type KnownLag = {
  /** The subscription that lags most, or undefined if the stream has none. */
  readonly worst: Worst | undefined;
  /** When it was asked for, as milliseconds of this machine. */
  readonly at: number;
};

/** The worst lag of each stream. With many streams, their turns come one after the other. */
export function useWorstLags(names: readonly string[]): ReadonlyMap<string, KnownLag> {
  const { current: known } = useRef(new Map<string, KnownLag>());
  useLoad(
    `lags ${names.join(" ")}`,
    async (signal) => {
      const askedAt = (name: string) => known.get(name)?.at;
      const now = Date.now();
      const turn = nextToAsk(names, askedAt, {
        before: now - TURN_EVERY_MS / 2,
        most: ASKED_A_TURN,
      });
      for (const name of turn) {
        const worst = await api.worstLag(name, signal).catch((error: unknown) => {
          if (LedgerProblem.is(error, "stream-not-found")) return undefined;
          throw error;
        });
        known.set(name, { worst, at: Date.now() });
      }
      return known;
    },
    TURN_EVERY_MS,
  );
  return known;
}
