import type { PushPort } from "@eventledger/core";
import type { Reach } from "./address.ts";
import { createSeal } from "./seal.ts";

export type PushConfig = {
  /** The text from which the key is derived that encrypts the secrets of endpoints. */
  readonly key: string;
  readonly reach: Reach;
};

/**
 * Opens what pushing needs: encryption, and a client for endpoints. The client is loaded when it is
 * first used.
 */
export function openPush({ key, reach }: PushConfig): PushPort & { close(): void } {
  let opening: ReturnType<typeof open> | undefined;
  const open = async () => {
    const [{ createDeliver }, { assertUrl }] = await Promise.all([
      import("./deliver.ts"),
      import("./address.ts"),
    ]);
    return { assertUrl, ...createDeliver({ reach }) };
  };
  const client = () => {
    opening ??= open();
    return opening;
  };
  return {
    seal: createSeal(key),
    deliver: async (delivery) => (await client()).deliver(delivery),
    assertUrl: async (url) => (await client()).assertUrl(url, reach),
    close: () => void opening?.then(({ close }) => close()),
  };
}
