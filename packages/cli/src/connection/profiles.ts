import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Failure, type Io } from "../io.ts";

export type Profile = { readonly url: string; readonly apiKey?: string | undefined };

/** The content of `profiles.json`. */
export type Profiles = {
  readonly current?: string | undefined;
  readonly profiles: Readonly<Record<string, Profile>>;
};

export const profilesFile = ({ env }: Pick<Io, "env">): string =>
  join(
    env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config"),
    "eventledger",
    "profiles.json",
  );

export function loadProfiles(io: Pick<Io, "env">): Profiles {
  const file = profilesFile(io);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { profiles: {} };
    throw new Failure(`Cannot read ${file}: ${(error as Error).message}`);
  }
  try {
    const { current, profiles }: Partial<Profiles> = JSON.parse(text);
    if (typeof profiles !== "object" || profiles === null) throw new Error("it has no profiles");
    for (const { url } of Object.values(profiles)) new URL(url);
    return { current, profiles };
  } catch (error) {
    throw new Failure(`The file ${file} is damaged: ${(error as Error).message}`, {
      help: `rm ${file}`,
    });
  }
}

/** Replaces the file atomically. Only its owner can read it, because it holds keys. */
export function saveProfiles(io: Pick<Io, "env">, profiles: Profiles): void {
  const file = profilesFile(io);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  rmSync(next, { force: true });
  writeFileSync(next, `${JSON.stringify(profiles, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  chmodSync(next, 0o600);
  renameSync(next, file);
}

/** Returns the permissions of the file, or undefined if there is none. */
export function profilesMode(io: Pick<Io, "env">): number | undefined {
  try {
    return statSync(profilesFile(io)).mode & 0o777;
  } catch {
    return undefined;
  }
}
