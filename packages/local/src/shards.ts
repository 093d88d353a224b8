import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as SdkRecord,
  type Shard,
} from "@aws-sdk/client-dynamodb-streams";

/** Where reading starts in a shard that has not been read before. */
export type StreamStart = "LATEST" | "TRIM_HORIZON";

/** The shards of one table stream, and how far each has been read. */
export type Shards = {
  /** Finds new shards and drops expired ones. */
  discover(signal: AbortSignal): Promise<void>;
  /**
   * Reads each readable shard once. A parent is read to its end before its children. It awaits
   * `take` for the records of a shard before it continues. Returns the number of records, and
   * whether a shard ended so that its children must be discovered.
   */
  read(
    take: (records: SdkRecord[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<{ count: number; ended: boolean }>;
};

type Position =
  | { readonly ShardIteratorType: StreamStart }
  | { readonly ShardIteratorType: "AFTER_SEQUENCE_NUMBER"; readonly SequenceNumber: string };

type ShardState = {
  readonly parentId: string | undefined;
  position: Position;
  iterator?: string | undefined;
  ended: boolean;
};

export function createShards(
  client: DynamoDBStreamsClient,
  streamArn: string,
  start: StreamStart,
): Shards {
  const states = new Map<string, ShardState>();
  let newShardStart = start;

  async function readShard(id: string, state: ShardState, signal: AbortSignal) {
    state.iterator ??= await loadIterator(id, state, signal);
    // A missing iterator means that the shard is closed and completely read.
    if (state.iterator === undefined) return { records: [], next: undefined };
    const input = { ShardIterator: state.iterator, Limit: PAGE_RECORDS };
    const page = await client.send(new GetRecordsCommand(input), { abortSignal: signal });
    return { records: page.Records ?? [], next: page.NextShardIterator };
  }

  async function loadIterator(id: string, { position }: ShardState, signal: AbortSignal) {
    const input = { StreamArn: streamArn, ShardId: id, ...position };
    const found = await client.send(new GetShardIteratorCommand(input), { abortSignal: signal });
    return found.ShardIterator;
  }

  return {
    async discover(signal) {
      const found = await listShards(client, streamArn, signal);
      for (const id of states.keys()) if (!found.has(id)) states.delete(id);
      for (const [id, shard] of found) {
        if (states.has(id)) continue;
        const position = { ShardIteratorType: newShardStart };
        states.set(id, { parentId: shard.ParentShardId, position, ended: false });
      }
      // A shard that appears later continues one that was read, so it is read from its beginning.
      newShardStart = "TRIM_HORIZON";
    },

    async read(take, signal) {
      let count = 0;
      let ended = false;
      for (const [id, state] of states) {
        const parent = state.parentId === undefined ? undefined : states.get(state.parentId);
        if (state.ended || parent?.ended === false) continue;
        try {
          const { records, next } = await readShard(id, state, signal);
          if (records.length > 0) await take(records);
          const last = records.at(-1)?.dynamodb?.SequenceNumber;
          if (last !== undefined) {
            state.position = { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last };
          }
          state.iterator = next;
          state.ended = next === undefined;
          ended ||= state.ended;
          count += records.length;
        } catch (error) {
          if (!moveAfterError(state, error)) throw error;
        }
      }
      return { count, ended };
    },
  };
}

const PAGE_RECORDS = 1_000;

/**
 * Gets a new iterator when the old one is no longer valid. Returns true when reading can continue.
 * An iterator that was not refused is kept, because it stays valid across a restart of the
 * database.
 */
function moveAfterError(state: ShardState, error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  if (name === "TrimmedDataAccessException") {
    state.position = { ShardIteratorType: "TRIM_HORIZON" };
  } else if (name !== "ExpiredIteratorException") {
    return false;
  }
  state.iterator = undefined;
  return true;
}

async function listShards(
  client: DynamoDBStreamsClient,
  streamArn: string,
  signal: AbortSignal,
): Promise<Map<string, Shard>> {
  const found = new Map<string, Shard>();
  let after: string | undefined;
  do {
    const input = { StreamArn: streamArn, ...(after && { ExclusiveStartShardId: after }) };
    const page = await client.send(new DescribeStreamCommand(input), { abortSignal: signal });
    for (const shard of page.StreamDescription?.Shards ?? []) {
      if (shard.ShardId !== undefined) found.set(shard.ShardId, shard);
    }
    after = page.StreamDescription?.LastEvaluatedShardId;
  } while (after !== undefined);
  return found;
}
