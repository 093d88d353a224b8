import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { Failure } from "../io.ts";
import { progressLine } from "../output/progress.ts";
import { EXIT } from "../output/trouble.ts";
import { bytes } from "../output/words.ts";
import { type BatchRules, batchesOf } from "./batches.ts";
import { linesOf } from "./lines.ts";

/** A file in which every line is valid. */
export type CheckedFile = {
  readonly path: string;
  /** The SHA-256 of its bytes. */
  readonly hash: string;
  readonly events: number;
};

export const readFileChunks = (path: string): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: 256 * 1024 });

/** Reads a file to its end and checks it, before any of it is published. */
export async function checkFile(cli: Cli, file: string, rules: BatchRules): Promise<CheckedFile> {
  const path = resolve(cli.io.cwd, file);
  const size = sizeOf(path, file);
  const began = cli.io.now();
  const hash = createHash("sha256");
  let read = 0;
  let events = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readFileChunks(path)) {
      cli.io.signal.throwIfAborted();
      hash.update(chunk);
      read += chunk.length;
      yield chunk;
    }
  }
  for await (const batch of batchesOf(linesOf(chunks()), rules)) {
    events += batch.events.length;
    const line = { name: `checking ${file}`, done: read, total: size, print: bytes };
    await cli.out.progress(progressLine({ ...line, elapsedMs: cli.io.now() - began }));
  }
  return { path, hash: hash.digest("hex"), events };
}

function sizeOf(path: string, file: string): number {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return stat.size;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "it does not exist" : String(code);
    throw new Failure(`Cannot read ${file}: ${reason}.`, { exitCode: EXIT.usage });
  }
  throw new Failure(`${file} is not a file. Use a pipe: el publish STREAM < ${file}`, {
    exitCode: EXIT.usage,
  });
}
