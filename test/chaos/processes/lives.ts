import { setTimeout as sleep } from "node:timers/promises";
import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";

/** Which lives a stream has had, by what its row in the table says. */
export type Lives = {
  /** Looks, and says which life it has; undefined while it has none. */
  look(): Promise<string | undefined>;
  /** What the last look found. */
  current(): string | undefined;
  /** All that looks have found, in order. */
  all(): readonly string[];
};

/** A look between any two deletions misses no life. */
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
        // It asks through the proxy as everybody does.
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
