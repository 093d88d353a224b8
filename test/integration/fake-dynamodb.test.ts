import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { arbitraryCommand } from "../model/fake/arbitrary-command.ts";
import { createTally } from "../model/fake/tally.ts";
import { createFakeDynamo } from "../model/fake-dynamodb.ts";
import { createTestTable } from "../stack/test-table.ts";

const seed = Number(process.env.TEST_SEED ?? 20_261_123);
const sequences = 60;
const commandsEach = 45;

describe("the fake DynamoDB", () => {
  let real: { client: DynamoDBClient; tableName: string };

  beforeAll(async () => {
    real = await createTestTable();
  });

  it("answers random requests as DynamoDB Local does", async () => {
    const tally = createTally();
    let run = 0;
    const sequence = fc.array(arbitraryCommand, {
      minLength: commandsEach,
      maxLength: commandsEach,
    });
    await fc.assert(
      fc.asyncProperty(sequence, async (drafts) => {
        run += 1;
        const prefix = `run${run}`;
        const fake = createFakeDynamo({ tableName: real.tableName, seed: run });
        const client = fake.client();
        for (const { label, build } of drafts) {
          const command = build(real.tableName, prefix);
          const [expected, found] = [
            await outcome(() => real.client.send(command as never)),
            await outcome(() => client.send(command)),
          ];
          tally.add(`${label}.${nameOf(expected)}`);
          const comparable = alike(command, expected, found);
          expect(comparable.found, described(label, command)).toEqual(comparable.expected);
        }
        expect(fake.refusals).toEqual([]);
        for (const pk of [`${prefix}#P0`, `${prefix}#P1`]) {
          const all = new QueryCommand({
            TableName: real.tableName,
            KeyConditionExpression: "#pk = :pk",
            ExpressionAttributeNames: { "#pk": "pk" },
            ExpressionAttributeValues: { ":pk": pk },
          });
          const { Items } = await real.client.send(all);
          expect(((await client.send(all)) as { Items: unknown }).Items).toEqual(Items);
        }
      }),
      { seed, numRuns: sequences, endOnFailure: process.env.TEST_SHRINK === undefined },
    );
    console.log(tally.all());
  }, 60_000);
});

type Outcome = { readonly [member: string]: unknown };

const outcome = async (send: () => Promise<unknown>): Promise<Outcome> => {
  try {
    const { $metadata: _, ...reply } = (await send()) as Record<string, unknown>;
    return reply;
  } catch (error) {
    const { name, Item, CancellationReasons } = error as Record<string, unknown>;
    return { name, Item, CancellationReasons };
  }
};

const nameOf = ({ name }: Outcome): string => (typeof name === "string" ? name : "ok");

const described = (label: string, { input }: { readonly input: object }): string =>
  `${label} ${JSON.stringify(input, (_, value: unknown) =>
    value instanceof Set ? ["set", ...value] : value,
  ).slice(0, 2000)}`;

/** An outcome without what has no order, and without what the two are known to see differently. */
const comparable = (outcome: Outcome): Outcome => {
  const reasons = outcome.CancellationReasons;
  // AWS puts an update that does not fit its item among the reasons; DynamoDB Local does not.
  if (Array.isArray(reasons) && reasons.some(({ Code }) => Code === "ValidationError")) {
    return { name: "ValidationException", Item: undefined, CancellationReasons: undefined };
  }
  const responses = outcome.Responses;
  if (responses === undefined || Array.isArray(responses)) return outcome;
  return { ...outcome, Responses: Object.values(responses as object).flat().sort(byKey) };
};

const byKey = (a: { pk: string; sk: string }, b: { pk: string; sk: string }): number =>
  `${a.pk}${a.sk}` < `${b.pk}${b.sk}` ? -1 : 1;
