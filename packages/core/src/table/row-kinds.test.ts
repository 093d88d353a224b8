import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { systemClock } from "../kernel/clock.ts";
import { systemRandom } from "../kernel/random.ts";
import { createRowKinds } from "./row-kinds.ts";

it("ElectroDB accepts every model, and there is one service", () => {
  const client = new DynamoDBClient({ region: "eu-west-1" });
  const kinds = createRowKinds({ client, table: "t", clock: systemClock, random: systemRandom });
  for (const [name, { schema }] of Object.entries(kinds)) {
    expect(schema.model).toMatchObject({ entity: name, version: "1", service: "eventledger" });
  }
});
