import { useRef } from "preact/hooks";
import { LedgerProblem } from "../../../sdk/src/index.ts";
import { api, type Worst } from "../api.ts";
import { useLoad } from "../parts/load.ts";
import { nextToAsk } from "../turns.ts";

/** The lags of a stream take one request, so only this many streams are requested at a time. */
export const ASKED_A_TURN = 30;
const TURN_EVERY_MS = 15_000;

export type KnownLag = {
  /** The subscription that lags most, or undefined if the stream has none. */
  readonly worst: Worst | undefined;
  /** When it was requested, in milliseconds of this machine's clock. */
  readonly at: number;
};

/**
 * Returns the worst lag of each stream. If there are many streams, they are requested in groups,
 * one after another.
 */
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
