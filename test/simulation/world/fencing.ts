import type { FakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import type { Item } from "../dynamodb/value.ts";
import type { Recorder } from "./recorder.ts";
import type { SimulatedStore } from "./tables.ts";

type Client = ReturnType<FakeDynamo["client"]>;

type Input = {
  readonly Key?: { readonly pk: string; readonly sk: string };
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
};

/** A client of the store, and the name of the pusher that used it last. */
export type WatchedClient = { readonly client: Client; workerOf(): string };

/**
 * Records each write by which a pusher has moved a position or parked keys, and whose lease the row
 * had when the write was sent. A process runs one pusher at a time.
 */
export function watchPusher(
  client: Client,
  { store, recorder }: { readonly store: SimulatedStore; readonly recorder: Recorder },
): WatchedClient {
  let worker = "";
  return {
    workerOf: () => worker,
    client: {
      send: async (command, options) => {
        const input: Input = command.input;
        worker = pusherIn(input) ?? worker;
        const row = writesOffset(input) ? store.peek(input.Key) : undefined;
        const sender = worker;
        const answer = await client.send(command, options);
        if (row !== undefined && isOfPusher(input, row)) noteWrite(recorder, sender, row);
        return answer;
      },
    },
  };
}

const noteWrite = (recorder: Recorder, worker: string, row: Item): void =>
  recorder.note({
    op: "pushed",
    worker,
    subscription: String(row.u),
    partition: row.p as number,
    token: (row.k as number | undefined) ?? 0,
  });

function pusherIn({ ExpressionAttributeValues = {} }: Input): string | undefined {
  const names = Object.values(ExpressionAttributeValues).filter((each) => typeof each === "string");
  return names.find((name) => name.startsWith("push-"));
}

type OffsetWrite = Input & { readonly Key: { readonly pk: string; readonly sk: string } };

const writesOffset = (input: Input): input is OffsetWrite =>
  input.Key?.sk.startsWith("OFFSET#") === true;

/** Returns whether a write moves the position, or parks a key because its delivery has failed. */
function isOfPusher({ UpdateExpression = "", ExpressionAttributeValues = {} }: Input, row: Item) {
  if (/#next\s*=/.test(UpdateExpression)) return true;
  const before = JSON.stringify(row.q ?? []);
  const parked = Object.values(ExpressionAttributeValues).find(Array.isArray) ?? [];
  return parked.some((key: Parked) => FAILED.test(key.reason) && !before.includes(key.reason));
}

type Parked = { readonly reason: string };

const FAILED = /^(the endpoint answered|refused|no answer in time)/;
