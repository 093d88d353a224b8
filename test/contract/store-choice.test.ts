import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDataFolder } from "../../packages/local/src/data-folder.ts";
import { readSettings } from "../../packages/local/src/settings.ts";
import { defaultStoreKind } from "../../packages/local/src/store-program.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eventledger-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(asked?: Parameters<typeof openDataFolder>[1]) {
  const { storeKind, databaseDir, release } = await openDataFolder(folder, asked);
  release();
  return { storeKind, databaseDir };
}

describe("a data folder", () => {
  it("a new data folder belongs to the platform's store, and records it", async () => {
    expect((await open()).storeKind).toBe(defaultStoreKind());
    expect(readFileSync(join(folder, "store"), "utf8").trim()).toBe(defaultStoreKind());
  });

  it("a data folder keeps the store that wrote it, whatever the default is", async () => {
    expect((await open("dynamodb-local")).databaseDir).toBe(join(folder, "dynamodb"));
    expect((await open()).storeKind).toBe("dynamodb-local");
    await expect(open("dynoxide")).rejects.toThrow(
      /holds files of dynamodb-local.*EVENTLEDGER_DATA/,
    );
  });

  it("a data folder from before the choice belongs to DynamoDB Local", async () => {
    mkdirSync(join(folder, "dynamodb"));
    await expect(open("dynoxide")).rejects.toThrow("holds files of dynamodb-local");
    expect(existsSync(join(folder, "store"))).toBe(false);
    expect((await open()).storeKind).toBe("dynamodb-local");
  });

  it("a data folder that an unknown store wrote is refused", async () => {
    writeFileSync(join(folder, "store"), "other\n");
    await expect(open()).rejects.toThrow('names no store that this version knows: "other"');
  });
});

describe("EVENTLEDGER_STORE", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["dynoxide", "dynoxide"],
    ["dynamodb-local", "dynamodb-local"],
  ])("the value %j selects %j", (text, kind) => {
    expect(readSettings({ EVENTLEDGER_STORE: text }).storeKind).toBe(kind);
  });

  it("an unknown store is refused with the known ones", () => {
    const read = () => readSettings({ EVENTLEDGER_STORE: "java" });
    expect(read).toThrow('EVENTLEDGER_STORE must be dynoxide or dynamodb-local, not "java".');
  });
});
