import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SeededRandom } from "../simulation/dynamodb/seeded-random.ts";

type Asked = { readonly Keys?: readonly unknown[] } | readonly unknown[];
type Tables = Readonly<Record<string, Asked>>;

/** How often an answer was partial, by the member that reports it. */
export type PartialAnswers = Record<
  "UnprocessedKeys" | "UnprocessedItems" | "LastEvaluatedKey",
  number
>;

/**
 * From now on a real store answers only a part of some batches and ends some pages of queries
 * early, as DynamoDB may at any time. Returns how often that has happened.
 */
export function answerInPart(
  client: DynamoDBClient,
  random: SeededRandom,
  rate: number,
): PartialAnswers {
  const happened = { UnprocessedKeys: 0, UnprocessedItems: 0, LastEvaluatedKey: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName);
      const input = args.input as object;
      if (name.startsWith("Query") && random.chance(rate)) {
        happened.LastEvaluatedKey++;
        const limit = "Limit" in input ? Number(input.Limit) : Number.POSITIVE_INFINITY;
        const Limit = Math.min(limit, random.between(1, 3));
        return next({ ...args, input: { ...input, Limit } as typeof args.input });
      }
      if (!name.startsWith("Batch") || !random.chance(rate)) return next(args);
      const { RequestItems } = input as { readonly RequestItems: Tables };
      const [[table, asked] = ["", [] as Asked]] = Object.entries(RequestItems);
      const left = "Keys" in asked ? "UnprocessedKeys" : "UnprocessedItems";
      const requests = random.shuffle("Keys" in asked ? (asked.Keys ?? []) : (asked as unknown[]));
      const cut = random.between(0, requests.length - 1);
      const of = (some: readonly unknown[]) => ({
        [table]: "Keys" in asked ? { ...asked, Keys: some } : some,
      });
      happened[left]++;
      // A store that processes nothing at all throttles instead, so at least one request goes
      // through.
      const now = { ...input, RequestItems: of(requests.slice(0, Math.max(1, cut))) };
      const result = await next({ ...args, input: now as unknown as typeof args.input });
      const back = requests.slice(Math.max(1, cut));
      if (back.length === 0) return result;
      return { ...result, output: { ...result.output, [left]: of(back) } };
    },
    { step: "initialize", name: "answerInPart", priority: "low" },
  );
  return happened;
}
