import { LedgerError, type Tenant } from "@eventledger/core";
import type { Context } from "hono";

/** Who calls, as far as the API key tells. */
export type Caller = { readonly tenant: Tenant };

/** Finds out whose key this is; undefined when it is nobody's. */
export type Authenticate = (apiKey: string) => Promise<Caller | undefined>;

/** The caller of a request. Throws `unauthorized`, which does not tell what is wrong with a key. */
export async function requireCaller(c: Context, authenticate: Authenticate): Promise<Caller> {
  const apiKey = readApiKey(c);
  if (apiKey === undefined) {
    throw new LedgerError("unauthorized", {
      detail: "Send the API key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.",
    });
  }
  const caller = apiKey.length > KEY_CHARS_MAX ? undefined : await authenticate(apiKey);
  if (caller === undefined) {
    throw new LedgerError("unauthorized", { detail: "The API key is not known here." });
  }
  return caller;
}

const KEY_CHARS_MAX = 256;

function readApiKey(c: Context): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "");
  return bearer?.[1] ?? c.req.header("x-api-key");
}
