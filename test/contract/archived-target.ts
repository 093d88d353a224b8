import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../packages/core/src/index.ts";
import { openArchive } from "../../packages/functions/src/open-archive.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { startS3Server } from "../../packages/local/src/s3/server.ts";
import { createHurriedClock } from "../support/moved-clock.ts";
import { createTestTable } from "../support/test-table.ts";
import { createClient } from "./client.ts";

export const ADMIN_KEY = "the-admin-key-of-the-archive";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/**
 * Opens a server with the store and the S3 server of the local stack. Its clock runs ahead of that
 * of the machine by `aheadMs`. `bucket` reaches the objects of the archive directly.
 */
export async function openArchivedTarget(
  aheadMs: () => number,
  {
    auditArchiveDays,
    locks = false,
    isHurried = () => false,
  }: {
    readonly auditArchiveDays?: number;
    readonly locks?: boolean;
    /** Whether pauses between the tries of a request take no time. */
    readonly isHurried?: () => boolean;
  } = {},
) {
  const folder = mkdtempSync(path.join(tmpdir(), "archive-"));
  const s3 = await startS3Server({ bucket: "archive", folder, credentials, nowMs: Date.now });
  const { endpoint, tableName } = await createTestTable();
  const archive = { bucket: "archive", locks, endpoint: s3.endpoint, credentials };
  const bucket = openArchive(archive, { region: "us-east-1", clock: systemClock });
  const opened = openLedger({
    endpoint,
    tableName,
    region: "us-east-1",
    clock: createHurriedClock(isHurried, () => Date.now() + aheadMs()),
    adminKey: ADMIN_KEY,
    cursorKey: "the-cursor-key-of-the-archive",
    archive,
    auditArchiveDays,
  });
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  return {
    api: createClient({ baseUrl: server.url, apiKey: ADMIN_KEY }),
    opened,
    tableName,
    endpoint,
    url: server.url,
    bucket,
    folder,
    async close(): Promise<void> {
      await server.stop();
      opened.close();
      bucket.close();
      await s3.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
