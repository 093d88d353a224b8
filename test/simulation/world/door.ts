import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import { createApp } from "../../../packages/functions/src/http/app.ts";
import type { Api } from "./world.ts";

export type Asking = {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
};

/** An answer of the HTTP API, and its text. */
export type Answer = { readonly body: Record<string, unknown>; readonly text: string };

type Door = ReturnType<typeof createApp>;

const doors = new WeakMap<Api, Door>();

/**
 * Sends a request to the HTTP API of a process, with an API key. Throws the error of a problem,
 * with the text of the answer among its facts.
 */
export async function knock(api: Api, apiKey: string, asking: Asking): Promise<Answer> {
  const { method, path, body } = asking;
  const response = await doorOf(api).request(path, {
    method,
    headers: {
      "x-api-key": apiKey,
      "x-request-id": "simulated",
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === "" ? {} : JSON.parse(text);
  if (response.ok) return { body: answer, text };
  throw new LedgerError(answer.code, { detail: String(answer.detail), facts: { text } });
}

function doorOf(api: Api): Door {
  const { ledger, process } = api;
  const door =
    doors.get(api) ??
    createApp({
      ledger,
      authenticate: async (apiKey) =>
        apiKey === undefined ? undefined : ledger.access.identify(apiKey),
      monotonicMs: process.clock.monotonic,
      loadDocsAsset: () => Promise.reject(new Error("no documentation is simulated")),
      loadConsoleFile: () => Promise.reject(new Error("no console is simulated")),
      logFailure: () => {},
    });
  doors.set(api, door);
  return door;
}
