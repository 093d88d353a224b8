import { type Io, UsageError } from "../io.ts";
import { findLocalStack } from "./local-stack.ts";
import { loadProfiles, type Profile } from "./profiles.ts";

/** The server that a command talks to, and where its address and key come from. */
export type Target = {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly urlFrom: string;
  readonly keyFrom: string | undefined;
};

export type TargetFlags = {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly profile?: string | undefined;
};

/**
 * Finds the server for a command. Flags take precedence over the environment, the environment over
 * the current profile, and the profile over the stack that runs in this folder. The key of a
 * profile is sent only to the address of the profile.
 */
export function findTarget(flags: TargetFlags, io: Pick<Io, "env" | "cwd">): Target {
  const { env } = io;
  const { current, profiles } = loadProfiles(io);
  const named = (name: string | undefined, from: string): Source[] =>
    name ? [{ ...profileNamed(profiles, name), from, isBound: true }] : [];
  const local = findLocalStack(io);
  const sources: Source[] = [
    { url: flags.url, apiKey: flags.apiKey, from: "the flags" },
    ...named(flags.profile, `the profile ${flags.profile}`),
    { url: env.EVENTLEDGER_URL, apiKey: env.EVENTLEDGER_API_KEY, from: "the environment" },
    ...named(env.EVENTLEDGER_PROFILE, `the profile ${env.EVENTLEDGER_PROFILE}`),
    ...(current !== undefined && profiles[current] ? named(current, `the profile ${current}`) : []),
    ...(local ? [{ ...local, from: "the stack in this folder", isBound: true }] : []),
  ];
  const place = sources.find(({ url }) => url);
  if (place?.url === undefined) {
    throw new UsageError("No server is chosen, and no local one runs in this folder.", "el start");
  }
  const url = normalise(place.url, place.from);
  const key = sources.find(
    ({ apiKey, isBound, url: own = "" }) =>
      apiKey && (!isBound || normalise(own, place.from) === url),
  );
  assertSendable(key?.apiKey, key?.from);
  return { url, apiKey: key?.apiKey, urlFrom: place.from, keyFrom: key?.from };
}

/**
 * Refuses a key with spaces or line breaks, which a header cannot carry. The message does not show
 * the key.
 */
export function assertSendable(apiKey: string | undefined, from = "the input"): void {
  if (!apiKey || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new UsageError(`The API key from ${from} has a space, a line break or a strange letter.`);
}

type Source = {
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly from: string;
  /** True when the key may be sent only to this address. */
  readonly isBound?: boolean;
};

function profileNamed(profiles: Readonly<Record<string, Profile>>, name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile;
  throw new UsageError(`There is no profile "${name}".`, "el profile ls");
}

export function normalise(url: string, from: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") {
    return parsed.href.replace(/\/$/, "");
  }
  throw new UsageError(
    `"${url}" from ${from} is not an address: it must begin with http:// or https://.`,
    "el login http://127.0.0.1:4000",
  );
}
