import type { Clock } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { createMemory } from "../../kernel/memory.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import type { Life } from "../../model/names.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import type { Table } from "../../table/table.ts";

const MEMORY_MS = MINUTE_MS;

/** A chain, with its checkpoint from before its rows were read. */
export type KnownChain = Checkpoint & { readonly life: Life; readonly partition: number };

/**
 * Checkpoints that are at most a minute old. They suffice to refuse a position that expired long
 * ago, because rows stay for 30 days below the floor. They never suffice to decide where to write.
 */
export function createCheckpointMemory({ table, clock }: { table: Table; clock: Clock }) {
  const memory = createMemory<Checkpoint>(clock, { ttlMs: MEMORY_MS });
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  async function reload(life: Life, partition: number): Promise<Checkpoint> {
    const look = memory.look();
    const checkpoint = await table.checkpoints.load(life, partition);
    if (checkpoint === undefined) throw streamNotFound();
    memory.learn(nameOf(life, partition), look, checkpoint);
    return checkpoint;
  }

  async function recall(life: Life, partition: number): Promise<Checkpoint> {
    return memory.recall(nameOf(life, partition)) ?? reload(life, partition);
  }

  /** Discards the remembered checkpoint of a partition. */
  const forget = (life: Life, partition: number): void => memory.change(nameOf(life, partition));

  return { recall, reload, forget };
}

export type CheckpointMemory = ReturnType<typeof createCheckpointMemory>;
