import { itemBytes } from "../simulation/dynamodb/item-size.ts";

type Send = (command: {
  readonly constructor: { readonly name: string };
  input: object;
}) => Promise<unknown>;
type Answer = {
  readonly Item?: object;
  readonly Items?: readonly object[];
  readonly Responses?: Readonly<Record<string, readonly object[]>>;
};

/** Wraps the client of a store that runs in the process. Counts the bytes of the rows it reads. */
export function countBytes(send: Send) {
  const total = { requests: 0, rows: 0, bytes: 0 };
  return {
    total,
    reset(): void {
      Object.assign(total, { requests: 0, rows: 0, bytes: 0 });
    },
    client: {
      async send(command: Parameters<Send>[0]): Promise<unknown> {
        const answer = (await send(command)) as Answer;
        const { Item, Items = [], Responses = {} } = answer;
        const rows = [
          ...(Item === undefined ? [] : [Item]),
          ...Items,
          ...Object.values(Responses).flat(),
        ];
        total.requests++;
        total.rows += rows.length;
        for (const row of rows) total.bytes += itemBytes(row as never);
        return answer;
      },
    },
  };
}
