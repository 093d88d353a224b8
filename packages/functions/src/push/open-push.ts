import type { PushPort } from "@eventledger/core";
import { linked } from "../linked.ts";
import { assertPushKey } from "../secrets.ts";
import { assertUrl, type Reach } from "./address.ts";
import { createDeliver } from "./deliver.ts";
import { createSeal } from "./seal.ts";

export type PushConfig = {
  /** The text from which the key is derived that encrypts the secrets of endpoints. */
  readonly key: string;
  readonly reach: Reach;
};

/** The parts of pushing that depend on the environment, and a function that closes them. */
export type OpenPush = PushPort & { close(): void };

/**
 * Opens encryption and a client for endpoints. Only programs that push import this file, so that
 * the bundles of the others do not contain its libraries.
 */
export function openPush({ key, reach }: PushConfig): OpenPush {
  const { deliver, close } = createDeliver({ reach });
  return { seal: createSeal(key), deliver, assertUrl: (url) => assertUrl(url, reach), close };
}

/**
 * Opens them for a deployed function, which sends to public addresses only. Undefined in a stage
 * without the secret PushKey. Throws an Error with one line for a secret that is too easy to guess.
 */
export function openPushFrom(env: NodeJS.ProcessEnv): OpenPush | undefined {
  const key = env.EVENTLEDGER_PUSH_KEY || linked("PushKey");
  if (key === "") return undefined;
  assertPushKey(key);
  return openPush({ key, reach: "public" });
}
