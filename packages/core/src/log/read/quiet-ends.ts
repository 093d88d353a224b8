import { createBounded } from "../../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp } from "../../kernel/clock.ts";
import { HOUR_MS, MINUTE_MS } from "../../kernel/time.ts";
import type { Life } from "../../model/names.ts";
import type { Position } from "../../model/position.ts";
import type { KnownChain } from "./checkpoint-memory.ts";

/** `since` is when the checkpoint in `chain` was first used, `stamp` the start of the last look. */
type QuietEnd = {
  readonly next: number;
  readonly chain: KnownChain;
  readonly since: Stamp;
  readonly stamp: Stamp;
};

const PARTITIONS_MAX = 10_000;
/** Two looks that are closer than this have seen everything in between: no row expires so soon. */
const LOOK_GAP_MS = MINUTE_MS;
/** Numbering may be repaired, so a checkpoint is read again in the end. */
const CHECKPOINT_MS = HOUR_MS;

/**
 * The ends of chains at which readers look again and again. A look that finds no batch at a place
 * proves that the chain still ends there, if the place was the end at a look shortly before. So
 * the checkpoint, which tells whether batches have expired unseen, need not be read again.
 */
export function createQuietEnds({ clock }: { readonly clock: Clock }) {
  const ends = createBounded<QuietEnd>(PARTITIONS_MAX);
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  return {
    /** Returns the chain as it was checked before, if a look has just found its end at `at`. */
    recall(life: Life, partition: number, at: Position | undefined): KnownChain | undefined {
      const known = ends.get(nameOf(life, partition));
      const isQuiet =
        known !== undefined &&
        at?.next === known.next &&
        at.batch === known.next &&
        ageMs(clock, known.stamp) < LOOK_GAP_MS &&
        ageMs(clock, known.since) < CHECKPOINT_MS;
      return isQuiet ? known.chain : undefined;
    },

    /** Records that a look, which began at `stamp`, has found the end of a chain at `next`. */
    learn(chain: KnownChain, next: number, stamp: Stamp): void {
      const name = nameOf(chain.life, chain.partition);
      const before = ends.get(name);
      const since = before?.chain === chain ? before.since : stamp;
      ends.set(name, { next, chain, since, stamp });
    },

    forget(life: Life, partition: number): void {
      ends.delete(nameOf(life, partition));
    },
  };
}

export type QuietEnds = ReturnType<typeof createQuietEnds>;
