import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createObjectIndex, type ObjectFacts, type ObjectStore } from "./stored-object.ts";

/**
 * Objects in files, one for each. A file has 4 bytes with the length of the facts, the facts as
 * JSON, and the bytes of the object. It is written under another name, synced, and renamed, so a
 * crash leaves the whole object or none. Its name is the hash of the key, because a key can be
 * longer than a file name and contain any character.
 */
export async function openObjectFiles(folder: string): Promise<ObjectStore> {
  const [whole, parts] = [join(folder, "objects"), join(folder, "incoming")];
  await rm(parts, { recursive: true, force: true });
  for (const each of [whole, parts]) await mkdir(each, { recursive: true });
  const found = createObjectIndex(await readAll(whole));
  const fileOf = (key: string) => join(whole, createHash("sha256").update(key).digest("hex"));
  const inTurn = createTurns();

  return {
    get: found.get,
    sorted: found.sorted,
    put: async (facts, body, check) => {
      const part = join(parts, randomUUID());
      try {
        await writeWhole(part, [prefixOf(facts), body]);
        await inTurn(facts.key, async () => {
          check();
          await rename(part, fileOf(facts.key));
          await syncFolder(whole);
          found.set(facts);
        });
      } finally {
        await rm(part, { force: true });
      }
    },
    read: async (facts, from, to) => {
      const file = await openIfThere(fileOf(facts.key));
      if (file === undefined) return undefined;
      try {
        const length = Buffer.alloc(LENGTH_BYTES);
        await file.read(length, 0, LENGTH_BYTES, 0);
        const begin = LENGTH_BYTES + length.readUInt32BE();
        // If the end of the file was cut off, the missing bytes are read as zeros, and a check of
        // the content fails.
        const bytes = Buffer.alloc(to - from);
        await file.read(bytes, 0, bytes.length, begin + from);
        return bytes;
      } finally {
        await file.close();
      }
    },
    remove: (key, check) =>
      inTurn(key, async () => {
        check();
        await rm(fileOf(key), { force: true });
        await syncFolder(whole);
        found.delete(key);
      }),
  };
}

const LENGTH_BYTES = 4;
const READ_TOGETHER = 32;

function prefixOf(facts: ObjectFacts): Buffer {
  const json = Buffer.from(JSON.stringify(facts));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename or a removal in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readAll(folder: string): Promise<ObjectFacts[]> {
  const names = await readdir(folder);
  const all: ObjectFacts[] = [];
  for (let from = 0; from < names.length; from += READ_TOGETHER) {
    const some = names.slice(from, from + READ_TOGETHER);
    all.push(...(await Promise.all(some.map((name) => readFacts(join(folder, name))))));
  }
  return all;
}

async function readFacts(path: string): Promise<ObjectFacts> {
  const file = await open(path);
  try {
    const length = (await readAt(file, 0, LENGTH_BYTES)).readUInt32BE();
    return JSON.parse((await readAt(file, LENGTH_BYTES, length)).toString());
  } catch (error) {
    throw new Error(`The file ${path} of the local archive is damaged`, { cause: error });
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead < length) throw new RangeError("the file is cut off");
  return buffer;
}

/** Returns a function that runs the changes of one key one after another. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}
