import { signal } from "@preact/signals";
import type { Caller } from "../../../sdk/src/admin/index.ts";
import { LedgerProblem } from "../../../sdk/src/errors.ts";
import { quoteData } from "../json/quote-data.ts";
import { endIfRefused, whenRefused } from "../parts/refused.ts";
import { applyTheme } from "./theme.ts";

/** What a portal token covers. */
export type Bearer = Pick<Caller, "streams" | "subscriptions" | "keyPrefix" | "expiresAt"> & {
  readonly portalScopes?: readonly ("read" | "endpoints")[];
};

const PLACE = "eventledger.portal-token";
/** A new token is asked for this long before the present one ends. */
const AHEAD_MS = 60_000;

/** The token. It is kept until the tab closes, and leaves it only as a header. */
let token: string | undefined;
let renewal: ReturnType<typeof setTimeout> | undefined;

/** What the token covers. Undefined without a token that the server accepts. */
export const bearer = signal<Bearer | undefined>(undefined);
/** Why there is no bearer. Undefined while the server is being asked. */
export const ended = signal<unknown>(undefined);

/** The page in whose frame this page is shown. */
const host = window.parent === window ? undefined : window.parent;

/**
 * Takes the token and the theme from the address, and later ones from messages of the page that
 * embeds this one. Only pages that the server names may do so.
 */
export function beginSession(): void {
  whenRefused(() => refuse(new Error("The access has ended. Open this page again.")));
  addEventListener("hashchange", readAddress);
  addEventListener("message", ({ source, data }) => {
    if (host === undefined || source !== host || typeof data !== "object" || data === null) return;
    if (data.type === "eventledger.theme" && typeof data.theme === "object") {
      applyTheme(data.theme ?? {});
    }
    if (data.type === "eventledger.token" && typeof data.token === "string") void open(data.token);
  });
  new ResizeObserver(() => {
    tell({ type: "eventledger.height", height: document.documentElement.scrollHeight });
  }).observe(document.body);
  readAddress();
  if (token !== undefined) return;
  const kept = stored();
  if (kept !== undefined) void open(kept);
  else refuse(new Error("This page needs a token. Open it from the site that offers it."));
}

function readAddress(): void {
  const members = new URLSearchParams(location.hash.slice(1));
  const given = members.get("token");
  members.delete("token");
  applyTheme(Object.fromEntries(members));
  if (given === null) return;
  // The token must not stay in the address or in the history.
  history.replaceState(null, "", `${location.pathname}${members.size > 0 ? `#${members}` : ""}`);
  void open(given);
}

async function open(given: string): Promise<void> {
  token = given;
  // The address no longer has it, and the page may be loaded again before the server answers.
  keep(given);
  try {
    const found = await request<Bearer>("GET", "/whoami");
    if (token !== given) return;
    bearer.value = found;
    ended.value = undefined;
    clearTimeout(renewal);
    const leftMs = Date.parse(found.expiresAt ?? "") - Date.now();
    renewal = setTimeout(() => tell(NEEDED), Math.max(0, leftMs - AHEAD_MS));
  } catch (error) {
    if (token === given && !endIfRefused(error)) refuse(error);
  }
}

const NEEDED = { type: "eventledger.token-needed" };

/** Sends a message to the page that embeds this one. It must contain nothing that is secret. */
const tell = (message: object): void => host?.postMessage(message, "*");

function refuse(why: unknown): void {
  token = undefined;
  keep(undefined);
  bearer.value = undefined;
  ended.value = why;
  tell(NEEDED);
}

/** A browser may refuse storage to a page in a frame. The token is then in memory only. */
function keep(text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, text);
  } catch {}
}

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(PLACE) ?? undefined;
  } catch {
    return undefined;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;
type Asked = {
  readonly query?: Query;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
};

/** Sends a request with the token. The data of events arrives as the text that was published. */
export async function request<T>(
  method: string,
  path: string,
  { query = {}, body, signal }: Asked = {},
): Promise<T> {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  const search = pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
  const response = await fetch(path + search, {
    method,
    credentials: "omit",
    cache: "no-store",
    headers: {
      Accept: "application/json",
      Authorization: `Bearer ${token ?? ""}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  if (response.ok) return text === "" ? (undefined as T) : JSON.parse(quoteData(text));
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  throw isProblem
    ? new LedgerProblem(JSON.parse(text))
    : new Error(`The server answered ${response.status}.`);
}
