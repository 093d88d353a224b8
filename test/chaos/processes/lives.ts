import { setTimeout as sleep } from "node:timers/promises";
import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";

/** The lives that a stream has had, according to its row in the table. */
export type Lives = {
  /** Reads the row and returns the current life. Returns undefined while there is none. */
  look(): Promise<string | undefined>;
  /** Returns what the last read found. */
  current(): string | undefined;
  /** Returns all lives that were found, in order. */
  all(): readonly string[];
};

/** Watches the lives of a stream. With a read between any two deletions, it misses no life. */
export function watchLives(client: DynamoDBClient, tableName: string, stream: string): Lives {
  const lives = new Set<string>();
  let current: string | undefined;
  const load = async () => {
    for (;;) {
      try {
        const key = { pk: { S: `STREAM#${stream}` }, sk: { S: "META" } };
        const get = { TableName: tableName, Key: key, ConsistentRead: true };
        return (await client.send(new GetItemCommand(get))).Item;
      } catch {
        // The reads go through the fault proxy like all requests, so they may have to be repeated.
        await sleep(100);
      }
    }
  };
  return {
    look: async () => {
      const { uid, status } = (await load()) ?? {};
      current = status?.S === "live" ? uid?.S : undefined;
      if (current !== undefined) lives.add(current);
      return current;
    },
    current: () => current,
    all: () => [...lives],
  };
}
