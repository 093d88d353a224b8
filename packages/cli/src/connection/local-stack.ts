import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Io } from "../io.ts";
import type { Profile } from "./profiles.ts";

export const localFolder = ({ env, cwd }: Pick<Io, "env" | "cwd">): string =>
  join(cwd, env.EVENTLEDGER_DATA || ".eventledger");

/** Returns the stack that runs in this folder, if there is one. */
export function findLocalStack(io: Pick<Io, "env" | "cwd">): Profile | undefined {
  const folder = localFolder(io);
  try {
    const { pid, url } = JSON.parse(readFileSync(join(folder, "running.json"), "utf8"));
    if (typeof pid !== "number" || typeof url !== "string") return undefined;
    process.kill(pid, 0);
    return { url, apiKey: readFileSync(join(folder, "admin-key"), "utf8").trim() };
  } catch {
    return undefined;
  }
}
