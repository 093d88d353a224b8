import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startStore } from "../../packages/local/src/store.ts";
import { defaultStoreKind, storeProgram } from "../../packages/local/src/store-program.ts";

const STORE = join(import.meta.dirname, "../../packages/local/src/store.ts");
const START = `
  const { startStore } = await import(${JSON.stringify(STORE)});
  const { dataDir, pid } = await startStore({ kind: "dynoxide" });
  console.log(JSON.stringify({ dataDir, pid }));
  setInterval(() => {}, 1_000);
`;

/** Where a machine has no large disk in memory, the store has no folder. */
const scratch =
  defaultStoreKind() === "dynoxide" ? storeProgram("dynoxide").makeScratch() : undefined;
if (scratch !== undefined) rmdirSync(scratch);

describe.runIf(scratch !== undefined)("a store that keeps nothing", () => {
  it("has its file on a disk in memory, with the index, and removes it at its end", async () => {
    const store = await startStore({ kind: "dynoxide" });
    const folder = store.dataDir ?? "";
    try {
      expect(folder).toMatch(/^\/dev\/shm\/eventledger-/);
      const database = new DatabaseSync(join(folder, "eventledger.db"), { readOnly: true });
      const found = database.prepare("SELECT name FROM sqlite_master WHERE type = 'index'").all();
      database.close();
      expect(found.map(({ name }) => name)).toContain("last_record");
    } finally {
      await store.stop();
    }
    expect(existsSync(folder)).toBe(false);
  });

  it.each(["the process that started it", "the store itself"])(
    "leaves no file when SIGKILL ends %s",
    async (victim) => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", START], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = await once(child.stdout, "data");
      void text(child.stdout);
      const { dataDir, pid } = JSON.parse(String(line));
      expect(existsSync(dataDir)).toBe(true);
      process.kill(victim === "the store itself" ? pid : Number(child.pid), "SIGKILL");
      await expect.poll(() => existsSync(dataDir), { timeout: 10_000 }).toBe(false);
      child.kill("SIGKILL");
    },
  );
});
