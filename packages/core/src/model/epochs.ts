import { LIMITS } from "@eventledger/protocol";
import { partitionOf } from "./partition.ts";
import { edgeAt, type Position } from "./position.ts";

/**
 * The partitions that the keys of a stream follow for a part of its life. Partitions have numbers
 * of their own: those of an epoch come after those of the epoch before it.
 */
export type Epoch = {
  /** The number of its first partition. */
  readonly first: number;
  /** How many partitions it has. */
  readonly partitions: number;
  /** The sequence at which its chains start. It is above all ends of the epoch before it. */
  readonly from: number;
  /** No event of it was published before this time, in milliseconds since 1970. */
  readonly at: number;
  /** The ends of its chains, once the next epoch has begun. They never change. */
  readonly ends?: readonly number[];
};

/** A stream with its partitions. Without `epochs` it has always had the same ones. */
export type Partitioned = {
  /** The number of partitions of the last epoch. */
  readonly partitions: number;
  /** Absent if there is only one. */
  readonly epochs?: readonly Epoch[] | undefined;
};

/** The most partitions that a stream can have over all of its epochs. */
export const CHAINS_MAX = LIMITS.partitionsEverMax;

/**
 * Thrown by an operation that has met the end of a partition, if the stream continues in an epoch
 * that its view of the stream lacks. Nothing was written. It starts again with the current view.
 */
export class TurnReached extends Error {
  override readonly name = "TurnReached";
}

export const epochsOf = ({ epochs, partitions }: Partitioned): readonly Epoch[] =>
  epochs ?? [{ first: 0, partitions, from: 1, at: 0 }];

export function lastEpoch(stream: Partitioned): Epoch {
  const { partitions, epochs } = stream;
  return epochs?.at(-1) ?? { first: 0, partitions, from: 1, at: 0 };
}

/** Returns how many partitions a stream has over all epochs. They are numbered from 0. */
export function chainCount(stream: Partitioned): number {
  const { first, partitions } = lastEpoch(stream);
  return first + partitions;
}

/** Returns the numbers of all partitions of a stream, over all epochs. */
export const chainsOf = (stream: Partitioned): number[] =>
  Array.from({ length: chainCount(stream) }, (_, partition) => partition);

export const chainsIn = ({ first, partitions }: Epoch): number[] =>
  Array.from({ length: partitions }, (_, at) => first + at);

export const isInEpoch = ({ first, partitions }: Epoch, partition: number): boolean =>
  partition >= first && partition < first + partitions;

/** Returns the partition of a key in an epoch. */
export const chainIn = (key: string, { first, partitions }: Epoch): number =>
  first + partitionOf(key, partitions);

/** Returns the partitions of a key, one of each epoch, in the order of its events. */
export const chainsOfKey = (stream: Partitioned, key: string): number[] =>
  epochsOf(stream).map((epoch) => chainIn(key, epoch));

/** Returns the partition in which a new event of the key is written. */
export const chainOfNew = (stream: Partitioned, key: string): number =>
  chainIn(key, lastEpoch(stream));

/**
 * Returns the epoch whose chains have a sequence. Numbers between two epochs belong to the earlier
 * one.
 */
export function epochWith(stream: Partitioned, sequence: number): Epoch {
  const epochs = epochsOf(stream);
  return epochs.findLast(({ from }) => from <= sequence) ?? epochs[0] ?? lastEpoch(stream);
}

/** Returns the partition of an event. */
export const chainOfEvent = (
  stream: Partitioned,
  { key, sequence }: { readonly key: string; readonly sequence: number },
): number => chainIn(key, epochWith(stream, sequence));

/** Returns the epoch of a partition. */
export function epochAt(stream: Partitioned, partition: number): Epoch {
  const epochs = epochsOf(stream);
  return epochs.findLast(({ first }) => first <= partition) ?? lastEpoch(stream);
}

/** Returns the first sequence of a partition. */
export const startOfChain = (stream: Partitioned, partition: number): number =>
  epochAt(stream, partition).from;

/** Returns the end of a partition of an earlier epoch. Undefined in the last one. */
export function endOfChain(stream: Partitioned, partition: number): number | undefined {
  if (stream.epochs === undefined) return undefined;
  const { first, ends } = epochAt(stream, partition);
  return ends?.[partition - first];
}

/** Returns whether a position is at the end of a partition of an earlier epoch. */
export const isDrained = (
  stream: Partitioned,
  partition: number,
  position: { readonly next: number } | undefined,
): boolean => {
  const end = endOfChain(stream, partition);
  return end !== undefined && position !== undefined && position.next >= end;
};

/** Returns the positions of a reader from before later epochs: it starts at their beginning. */
export const withLaterChains = <T>(
  stream: Partitioned,
  positions: readonly T[],
): readonly (T | Position)[] => {
  const count = chainCount(stream);
  if (positions.length >= count) return positions;
  const later = Array.from({ length: count - positions.length }, (_, at) =>
    edgeAt(startOfChain(stream, positions.length + at)),
  );
  return [...positions, ...later];
};

/**
 * Returns the epoch that a reader reads: the first one that it has not read to the end, among some
 * partitions or all. It enters no epoch before.
 */
export function openEpoch(
  stream: Partitioned,
  positions: readonly ({ readonly next: number } | undefined)[],
  among?: ReadonlySet<number>,
): Epoch {
  const isOpen = (epoch: Epoch) =>
    epoch.ends === undefined ||
    chainsIn(epoch).some(
      (partition) =>
        (among?.has(partition) ?? true) && !isDrained(stream, partition, positions[partition]),
    );
  return epochsOf(stream).find(isOpen) ?? lastEpoch(stream);
}
