import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import type { Line } from "../../simulation/checker/history.ts";
import { noteBatchItem } from "../../simulation/world/tap.ts";

type Item = Record<string, unknown>;

export type Stored = {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly stream: string;
};

/**
 * Reads every chain of a life and its compacted state directly from the table, strongly consistent.
 */
export async function readBack(
  { client, tableName, stream }: Stored,
  life: string,
  atMs: number,
): Promise<Line[]> {
  const table = DynamoDBDocument.from(client);
  const query = async (pk: string): Promise<Item[]> => {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await table.query({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  };
  const rows = new Map<number, [key: string, sequence: number, dead: boolean][]>();
  for (let bucket = 0; bucket < 16; bucket++) {
    const pk = `STREAM#${stream}#${life}#COMPACT#${String(bucket).padStart(2, "0")}`;
    for (const { k, s, x, p } of await query(pk)) {
      const list = rows.get(Number(p)) ?? [];
      rows.set(Number(p), list);
      list.push([String(k), Number(s), x === true]);
    }
  }
  const lines: Line[] = [];
  const compacted: Line[] = [];
  const head = { type: "info", atMs, process: "-" } as const;
  // Partitions of later epochs have the next numbers. Each has at least its checkpoint.
  for (let partition = 0; ; partition++) {
    const items = await query(`STREAM#${stream}#${life}#P${partition}`);
    // The row of a key may be of a later epoch than its last event here, so later ones come first.
    if (items.length === 0) return [...lines, ...compacted.toReversed()];
    const checkpoint = items.find(({ sk }) => sk === "CHECKPOINT");
    const first = items.find(({ sk }) => String(sk).startsWith("SEQ#"));
    const floor = Number(checkpoint?.floor);
    const base = Number(first?.f ?? checkpoint?.next);
    lines.push({ ...head, op: "checkpoint", life, partition, checkpoint: base, floor });
    for (const item of items) {
      if (String(item.sk).startsWith("SEQ#")) {
        lines.push({ ...head, ...noteBatchItem(item, life, partition) });
      } else if (item.sk === "CHECKPOINT") {
        const at = { checkpoint: Number(item.next), floor: Number(item.floor) };
        compacted.push({
          ...head,
          op: "compacted",
          life,
          partition,
          ...at,
          rows: rows.get(partition) ?? [],
        });
      }
    }
  }
}
