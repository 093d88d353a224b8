import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Partitioned } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import type { Sightings } from "../model/sightings.ts";
import type { Table } from "../table/table.ts";
import type { Growable } from "./grow.ts";
import type { GrowthRule } from "./growth-plan.ts";
import type { Pace } from "./pace.ts";

export type CompactDeps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  /** The observations of this process. Without them, only stored values count. */
  readonly sightings?: Sightings | undefined;
  /** Decides when to write. If absent, up to 32 writes are in flight. */
  readonly pace?: Pace | undefined;
  /**
   * The number of rows in one write. The default is one. A transaction costs twice the units of
   * single puts, but a store on a local disk needs the time of one write for it.
   */
  readonly rowsTogether?: number | undefined;
  readonly observeCompaction?: ObserveCompaction | undefined;
  /** When a stream grows by itself. */
  readonly growthRule?: GrowthRule | undefined;
};

/** Reports the progress of compaction in a process. */
export type ObserveCompaction = {
  /** Called when rows were put, or when the table already had rows that are at least as new. */
  rows(count: number): void;
  /** Called with the number of events of a partition after its checkpoint. */
  lag(at: { readonly life: Life; readonly partition: number; readonly events: number }): void;
  /** Called when a stream begins to get more partitions by itself. */
  grows?(): void;
};

/** The properties of a stream's life that compaction needs. */
export type Compactable = Partitioned & {
  readonly life: Life;
  readonly compaction: "key" | "none";
  readonly retentionHours: number;
} & Growable;
