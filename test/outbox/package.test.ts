import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installIn, type Packed, packagingTests, packPackage, root } from "../sdk/packed.ts";
import { postgresBin, startPostgres } from "../sdk/postgres.ts";
import { runSnippets } from "../sdk/snippets.ts";
import { openStack } from "../sdk/stack.ts";

let packed: Packed;
let project: string;
beforeAll(() => {
  packed = packPackage("outbox");
  project = installIn(["sdk", "outbox"], ["pg", "@types/pg"]);
}, 120_000);

describe("the package", () => {
  packagingTests(() => packed);

  it("prints the SQL of its tables", () => {
    const command = join(project, "node_modules/.bin/eventledger-outbox");
    const print = (...given: string[]) =>
      execFileSync(command, ["sql", ...given], { encoding: "utf8" });
    const database = new DatabaseSync(":memory:");
    database.exec(print("sqlite") + print("sqlite", "guard") + print("sqlite", "outbox", "mine"));
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["eventledger_outbox", "eventledger_inbox", "mine", "mine_relays"]),
    );
    expect(print("postgres")).toContain("CREATE TABLE IF NOT EXISTS eventledger_outbox (");
    expect(() => print("postgres", "outbox", "a'b")).toThrow("is not a table name");
    expect(() => print("mysql")).toThrow("Usage: eventledger-outbox sql");
  });

  it("runs its README, installed from its tarball", async () => {
    const { url, adminKey } = await openStack();
    const bin = postgresBin();
    const server = bin === undefined ? undefined : await startPostgres(bin);
    if (server !== undefined) afterAll(server.stop);
    await runSnippets({
      project,
      readme: join(packed.folder, "README.md"),
      url,
      apiKey: adminKey,
      env: { DATABASE_URL: server?.url ?? "" },
      // Without a server, snippets that need one are only compiled.
      isRunnable: (code) => server !== undefined || !code.includes("DATABASE_URL"),
    });
  }, 240_000);
});

it("docs/outbox.md has the figures of the record", () => {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const { results } = JSON.parse(read("test/results/outbox.json"));
  const page = read("docs/outbox.md");
  expect(page).toContain(`what comes after it | ${results.byCursor.lost} | 0 | 0 |`);
  expect(page).toContain(`order of their ids | 0 | 0 | ${results.byWatermark.disordered} |`);
  expect(page).toContain("removes them | 0 | 0 | 0 |");
  expect(results.byVisibility).toEqual({ lost: 0, twice: 0, disordered: 0 });
});
