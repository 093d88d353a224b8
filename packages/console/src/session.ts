import { computed, signal } from "@preact/signals";
import { administer, type Caller, type KeyScope } from "../../sdk/src/admin/index.ts";
import { type ConnectionOptions, EventLedger, LedgerProblem } from "../../sdk/src/index.ts";
import { quoteData } from "./json/quote-data.ts";
import { whenRefused } from "./parts/refused.ts";

export type Scope = KeyScope;

const PLACE = "eventledger.key";

/** The API key. It is kept until the tab closes, and leaves it only as a header. */
export const apiKey = signal<string | undefined>(sessionStorage.getItem(PLACE) ?? undefined);
/** The bearer of the key, and its rights. */
export const me = signal<Caller | undefined>(undefined);
/** Why the last key was refused, or why the server could not be reached. */
export const refusal = signal<string>("");

/** The SDK's options for this server. The data of events arrives as the text that was published. */
const options = computed(
  (): ConnectionOptions => ({
    url: location.origin,
    apiKey: apiKey.value ?? "",
    retry: { attempts: 3 },
    fetch: async (url, init) => {
      const { status, headers, ...response } = await send(url, init);
      return { status, headers, text: async () => quoteData(await response.text()) };
    },
  }),
);

export const ledger = computed(() => new EventLedger(options.value));
export const admin = computed(() => administer(options.value));

async function send(url: string, init: RequestInit) {
  // The key is sent as a header. No cookie is sent or accepted.
  const response = await fetch(url, { ...init, credentials: "omit", cache: "no-store" });
  return {
    status: response.status,
    headers: response.headers,
    text: () => response.text(),
  };
}

/** Opens an event stream of this server. */
export async function openStream(
  path: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { value: key = "" } = apiKey;
  const response = await fetch(path, {
    signal,
    credentials: "omit",
    cache: "no-store",
    headers: {
      Accept: "text/event-stream",
      ...(key === "" ? {} : { Authorization: `Bearer ${key}` }),
    },
  });
  const type = response.headers.get("content-type") ?? "";
  if (response.ok && response.body !== null && type.startsWith("text/event-stream")) {
    return response.body;
  }
  // A gateway that does not know event streams sends an answer of its own.
  const unknown = { code: "streaming-unavailable", status: response.status };
  const isProblem = type.startsWith("application/problem+json");
  throw new LedgerProblem(isProblem ? await response.json() : unknown);
}

/** Asks the server for the bearer of the key, and keeps the key if it is accepted. */
export async function signIn(key: string): Promise<void> {
  apiKey.value = key;
  refusal.value = "";
  try {
    me.value = await admin.value.whoami();
    sessionStorage.setItem(PLACE, key);
  } catch (error) {
    end(
      LedgerProblem.is(error, "unauthorized")
        ? "The server does not know this key. It may be mistyped, expired or revoked."
        : `The server did not answer as expected. ${error instanceof Error ? error.message : ""}`,
    );
  }
}

export const signOut = (): void => end("");

whenRefused(() => end("The server does not accept this key any more."));

function end(why: string): void {
  sessionStorage.removeItem(PLACE);
  apiKey.value = undefined;
  me.value = undefined;
  refusal.value = why;
}

/**
 * Returns whether the key may do something that needs a scope. Some operations reach beyond a bound
 * key.
 */
export function can(scope: Scope, { unbound = false } = {}): boolean {
  const { value } = me;
  if (value === undefined || !value.scopes.includes(scope)) return false;
  return !(unbound && (value.keyPrefix !== undefined || value.subscriptions !== undefined));
}

export const isRoot = (): boolean => me.value?.keyId === "root";
