/**
 * The design of a live change of partitions (decision 0065), small enough to try every order of
 * steps. It decides only which writes are allowed and in which order partitions are read. None of
 * this is product code.
 *
 * The table holds one row for the stream and a chain for each partition. A chain starts at a
 * sequence and has entries: events, and at most one `turn`, after which nothing can be written.
 * Every write has a condition on the one row that it writes, as in DynamoDB.
 */

export type Entry = { readonly key: string; readonly n: number } | "turn";
export type Epoch = { readonly first: number; readonly partitions: number; readonly start: number };
export type Table = {
  /**
   * The epochs of the stream. The partitions of each epoch have their own numbers, one epoch after
   * another.
   */
  readonly epochs: readonly Epoch[];
  /** The number of partitions of the next epoch, while a change is in progress. */
  readonly wanted: number;
  readonly chains: Readonly<Record<number, readonly Entry[]>>;
};

/** The rules of the design. A test switches each off and expects a violation. */
export type Rules = {
  /** The next epoch is written only once every chain of the previous epoch has its turn. */
  readonly turnsFirst: boolean;
  /** The next epoch starts above the ends of all chains of the previous epoch. */
  readonly startsAboveAll: boolean;
  /** A turn is put only where the chain ends. */
  readonly turnsAtTheEnd: boolean;
  /** A reader enters an epoch only once it has reached every turn of the previous epoch. */
  readonly drainsFirst: boolean;
  /** A page is caught up only if it reads the last epoch that the reader knows. */
  readonly lastOnly: boolean;
  /** A reader that has reached all turns reads the stream's row again before it is caught up. */
  readonly looksAgain: boolean;
};

export const ALL_RULES: Rules = {
  turnsFirst: true,
  startsAboveAll: true,
  turnsAtTheEnd: true,
  drainsFirst: true,
  lastOnly: true,
  looksAgain: true,
};

export const partitionsOf = ({ first, partitions }: Epoch): number[] =>
  Array.from({ length: partitions }, (_, at) => first + at);

/** Returns the partition of a key in an epoch. Keys are single letters. */
export const partitionOf = (key: string, { first, partitions }: Epoch): number =>
  first + ((key.codePointAt(0) ?? 0) % partitions);

export const lastEpoch = ({ epochs }: Pick<Table, "epochs">): Epoch => {
  const last = epochs.at(-1);
  if (last === undefined) throw new Error("A stream has an epoch");
  return last;
};

export const startOf = (table: Pick<Table, "epochs">, partition: number): number =>
  table.epochs.findLast(({ first }) => first <= partition)?.start ?? 1;

/** Returns the sequence at which a chain can grow, or that of its turn. */
export const endOf = (table: Table, partition: number): number => {
  const chain = table.chains[partition] ?? [];
  const events = chain.filter((entry) => entry !== "turn");
  return startOf(table, partition) + events.length;
};

export const hasTurn = (table: Table, partition: number): boolean =>
  table.chains[partition]?.at(-1) === "turn";

/** Puts an entry at a sequence if the chain ends there. Undefined if the condition fails. */
export function put(table: Table, partition: number, at: number, entry: Entry): Table | undefined {
  if (hasTurn(table, partition) || endOf(table, partition) !== at) return undefined;
  const chain = [...(table.chains[partition] ?? []), entry];
  return { ...table, chains: { ...table.chains, [partition]: chain } };
}

/** The next write that continues a change. Every process that reads a turn makes it. */
export type GrowthStep =
  | { readonly kind: "turn"; readonly partition: number; readonly at: number }
  | { readonly kind: "epoch"; readonly epochs: number; readonly epoch: Epoch };

/** Plans the next write from the current table. Undefined when no change is in progress. */
export function planGrowth(table: Table, rules: Rules): GrowthStep | undefined {
  if (table.wanted === 0) return undefined;
  const old = lastEpoch(table);
  const open = partitionsOf(old).filter((partition) => !hasTurn(table, partition));
  const [partition] = open;
  const isReady = rules.turnsFirst ? open.length === 0 : open.length < old.partitions;
  if (!isReady && partition !== undefined) {
    return { kind: "turn", partition, at: endOf(table, partition) };
  }
  const ends = partitionsOf(old).map((of) => endOf(table, of));
  const start = rules.startsAboveAll ? Math.max(...ends) : Math.min(...ends);
  const epoch = { first: old.first + old.partitions, partitions: table.wanted, start };
  return { kind: "epoch", epochs: table.epochs.length, epoch };
}

/** Makes a planned write, which changes nothing if its condition no longer holds. */
export function growthWrite(table: Table, step: GrowthStep, rules: Rules): Table {
  if (step.kind === "epoch") {
    if (table.epochs.length !== step.epochs) return table;
    return { ...table, epochs: [...table.epochs, step.epoch], wanted: 0 };
  }
  const { partition, at } = step;
  if (rules.turnsAtTheEnd) return put(table, partition, at, "turn") ?? table;
  // Without the condition, the turn replaces what was written there in the meantime.
  const kept = (table.chains[partition] ?? []).slice(0, at - startOf(table, partition));
  return { ...table, chains: { ...table.chains, [partition]: [...kept, "turn"] } };
}
