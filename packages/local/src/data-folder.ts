import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SECRET_PATTERN } from "@eventledger/functions/secrets.ts";
import { commandLine, isAlive } from "./process-list.ts";
import { StackError, systemCode } from "./stack-error.ts";
import { defaultStoreKind, STORE_KINDS, type StoreKind } from "./store-program.ts";

/**
 * The content of `running.json` in the data folder. Other programs read it while a stack uses the
 * folder.
 */
export type Running = {
  readonly pid: number;
  /**
   * The command line of that process. A process id alone is not enough, because ids are reused
   * after a restart of the machine.
   */
  readonly command: string;
  readonly databasePid?: number;
  readonly url?: string;
};

export type DataFolder = {
  /** The store that writes the folder. A different store cannot read its files. */
  readonly storeKind: StoreKind;
  /** The folder of the store's files. */
  readonly databaseDir: string;
  /** The folder of the objects of the archive. */
  readonly archiveDir: string;
  readonly adminKeyFile: string;
  /**
   * Both keys are created at the first start and read at later starts. Their files have mode 0600.
   */
  readonly adminKey: string;
  readonly cursorKey: string;
  /** Adds facts about the running process to `running.json`. Earlier entries stay. */
  announce(more: Pick<Running, "databasePid" | "url">): void;
  /** Frees the folder for another stack. This also happens when the process exits. */
  release(): void;
};

/**
 * Takes a data folder for this process and creates it if it is absent. Throws `StackError` when the
 * folder cannot be used, when another stack runs on it, when a key file in it is damaged, or when
 * another store wrote it than the one that the settings name.
 */
export async function openDataFolder(path: string, asked?: StoreKind): Promise<DataFolder> {
  const folder = resolve(path);
  const lock = join(folder, "running.json");
  let self: Running = { pid: process.pid, command: commandLine(process.pid) };
  try {
    makeFolder(folder);
    await takeLock(lock, self, path);
  } catch (error) {
    throw folderError(error, path);
  }
  const release = () => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    const adminKeyFile = join(folder, "admin-key");
    const storeKind = claimStore(folder, path, asked);
    return {
      storeKind,
      databaseDir: join(folder, STORE_FOLDERS[storeKind]),
      archiveDir: join(folder, "archive"),
      adminKeyFile,
      adminKey: loadKey(adminKeyFile, "elk_"),
      cursorKey: loadKey(join(folder, "cursor-key"), ""),
      announce: (more) => {
        self = { ...self, ...more };
        writeFileSync(`${lock}.new`, JSON.stringify(self));
        renameSync(`${lock}.new`, lock);
      },
      release: () => {
        process.off("exit", release);
        release();
      },
    };
  } catch (error) {
    release();
    throw folderError(error, path);
  }
}

/** Returns the process that runs on a data folder, or undefined. */
export function loadRunning(path: string): Running | undefined {
  const running = readRunning(join(path, "running.json"));
  return running !== undefined && isHolder(running) ? running : undefined;
}

/** Returns a new secret of 192 random bits. */
export const makeKey = (prefix: string): string => `${prefix}${randomBytes(24).toString("hex")}`;

const STORE_FOLDERS: Readonly<Record<StoreKind, string>> = {
  dynoxide: "dynoxide",
  "dynamodb-local": "dynamodb",
};

/**
 * Returns the store of the folder, as the file `store` names it. An older folder has no such file,
 * and DynamoDB Local wrote it.
 */
function claimStore(folder: string, path: string, asked: StoreKind | undefined): StoreKind {
  const file = join(folder, "store");
  const noted = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  const former = existsSync(join(folder, STORE_FOLDERS["dynamodb-local"]));
  const written = STORE_KINDS.find((kind) => kind === (noted ?? (former ? "dynamodb-local" : "")));
  if (noted !== undefined && written === undefined) {
    throw new StackError(`The file ${file} names no store that this version knows: "${noted}".`);
  }
  if (written !== undefined && asked !== undefined && asked !== written) {
    throw new StackError(
      `The data folder "${path}" holds files of ${written}, and EVENTLEDGER_STORE asks for ${asked}. ` +
        `Unset the variable, or choose another folder: EVENTLEDGER_DATA=.eventledger-2 npm start`,
    );
  }
  const kind = written ?? asked ?? defaultStoreKind();
  if (noted === undefined) writeFileSync(file, `${kind}\n`);
  return kind;
}

function makeFolder(folder: string): void {
  // The folder is created in two steps, because Node's recursive mkdir never returns under a path
  // where nothing can be created (/proc).
  mkdirSync(dirname(folder), { recursive: true });
  if (!existsSync(folder)) mkdirSync(folder);
}

const isHolder = ({ pid, command }: Running): boolean =>
  pid !== process.pid && isAlive(pid) && commandLine(pid) === command;

async function takeLock(lock: string, self: Running, path: string): Promise<void> {
  for (;;) {
    try {
      writeFileSync(lock, JSON.stringify(self), { flag: "wx" });
      return;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    const before = readRunning(lock);
    if (before !== undefined && isHolder(before)) {
      const where = before.url === undefined ? "" : ` at ${before.url}`;
      throw new StackError(
        `Another stack (pid ${before.pid})${where} already uses the data folder "${path}". ` +
          "Stop it, or choose another folder: EVENTLEDGER_DATA=.eventledger-2 PORT=4001 npm start",
      );
    }
    if (before?.databasePid !== undefined) await waitForDatabase(before.databasePid, path);
    rmSync(lock, { force: true });
  }
}

/** The database of a stack that was killed ends within half a second, so this waits for it. */
async function waitForDatabase(pid: number, path: string): Promise<void> {
  const giveUpAt = performance.now() + 8_000;
  while (isAlive(pid) && /DynamoDBLocal|dynoxide/.test(commandLine(pid))) {
    if (performance.now() > giveUpAt) {
      throw new StackError(
        `A database (pid ${pid}) still runs on the data folder "${path}": stop it first.`,
      );
    }
    await sleep(100);
  }
}

function readRunning(lock: string): Running | undefined {
  try {
    const found: Partial<Running> | null = JSON.parse(readFileSync(lock, "utf8"));
    if (typeof found?.pid !== "number" || typeof found.command !== "string") return undefined;
    return { ...found, pid: found.pid, command: found.command };
  } catch {
    return undefined;
  }
}

function loadKey(file: string, prefix: string): string {
  try {
    const made = makeKey(prefix);
    writeFileSync(file, `${made}\n`, { flag: "wx", mode: 0o600 });
    return made;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  const key = readKey(file);
  if (SECRET_PATTERN.test(key)) return key;
  throw new StackError(
    `The key file ${file} is damaged. Restore it, or delete it so that a new key is created.`,
  );
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (systemCode(error) === "EISDIR") return "";
    throw error;
  }
}

function folderError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === "" || error instanceof StackError) return error;
  const reasons: Record<string, string> = {
    ENOENT: "it cannot be created",
    EEXIST: "it is not a directory",
    ENOTDIR: "it is not a directory",
    EACCES: "it is not writable",
    EPERM: "it is not writable",
    EROFS: "it is not writable",
    ENOSPC: "the disk is full",
  };
  const reason = reasons[code] ?? code;
  return new StackError(
    `Cannot use the data folder "${path}": ${reason}. Choose another with EVENTLEDGER_DATA.`,
  );
}
