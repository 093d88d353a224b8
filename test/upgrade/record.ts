import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { startStore } from "../../packages/local/src/store.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { tellLater } from "./later.ts";
import { checkOut } from "./old-code.ts";
import { saveStored, scanRows } from "./stored.ts";
import { tell } from "./story.ts";

/**
 * `node test/upgrade/record.ts <commit>` lets the code of a commit write every kind of row, and
 * saves them in rows/<commit>.json. This is done once for a release and never repeated.
 */
const [commit = ""] = process.argv.slice(2);
const dynamo = await startStore();
const old = checkOut(commit);
try {
  const client = new DynamoDBClient(localAws(dynamo.endpoint));
  const tableName = `old-${randomUUID()}`;
  await ensureTable(client, tableName);
  const secrets = {
    adminKey: "elk_admin_key_of_the_record",
    cursorKey: "cursor-key-of-the-record",
  };
  const server = await old.serve({ endpoint: dynamo.endpoint, tableName, ...secrets });
  const notes = await tell(server.url, secrets);
  const later = await tellLater(server.url, secrets.adminKey);
  const recordedAtMs = Date.now();
  await server.stop();
  const rows = await scanRows(client, tableName);
  saveStored({ commit, tableName, recordedAtMs, notes, later, rows });
  client.destroy();
} finally {
  old.remove();
  await dynamo.stop();
}
