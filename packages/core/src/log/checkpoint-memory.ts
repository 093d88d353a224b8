import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { streamNotFound } from "../kernel/error.ts";
import type { Life } from "../kernel/names.ts";
import type { Checkpoint } from "../table/checkpoint.entity.ts";
import type { Table } from "../table/table.ts";

const MEMORY_MS = 60_000;
const ENTRIES_MAX = 10_000;

/**
 * Checkpoints as they were at most a minute ago. Good enough to refuse what is long gone, because
 * rows stay for 30 days below the floor; never good enough to decide where to write.
 */
export function createCheckpointMemory({ table, clock }: { table: Table; clock: Clock }) {
  const memory = new Map<string, { checkpoint: Checkpoint; stamp: Stamp }>();

  async function reload(life: Life, partition: number): Promise<Checkpoint> {
    const stamp = takeStamp(clock);
    const checkpoint = await table.checkpoints.load(life, partition);
    if (checkpoint === undefined) throw streamNotFound();
    const [oldest] = memory.keys();
    if (memory.size >= ENTRIES_MAX && oldest !== undefined) memory.delete(oldest);
    memory.set(`${life}#${partition}`, { checkpoint, stamp });
    return checkpoint;
  }

  async function recall(life: Life, partition: number): Promise<Checkpoint> {
    const known = memory.get(`${life}#${partition}`);
    if (known !== undefined && ageMs(clock, known.stamp) < MEMORY_MS) return known.checkpoint;
    return reload(life, partition);
  }

  return { recall, reload };
}

export type CheckpointMemory = ReturnType<typeof createCheckpointMemory>;
