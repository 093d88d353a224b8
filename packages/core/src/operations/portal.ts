import type { CreatePortalToken, InvalidField, NewPortalToken } from "@eventledger/protocol";
import { newKeyId } from "../access/key-text.ts";
import { type Caller, coversDelivery, coversLife } from "../access/permission.ts";
import { excessOfPortal } from "../access/portal-plan.ts";
import { invalidRequest, LedgerError, subscriptionNotFound } from "../kernel/error.ts";
import { lifeText } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Parts } from "./parts.ts";

const SECOND_MS = 1_000;

/** Makes portal tokens, and checks what they cover. */
export function portalOperations(parts: Parts) {
  const { clock, random, streams, subscriptions, portalTokens } = parts;

  return {
    /**
     * Makes a portal token. Nothing is stored. Throws `forbidden` for rights that the caller lacks,
     * `stream-not-found`, `subscription-not-found` for a subscription that none of the streams has,
     * and `invalid-request` for one that delivers keys outside the prefix.
     */
    async createPortalToken(caller: Caller, asked: CreatePortalToken): Promise<NewPortalToken> {
      const errors = excessOfPortal(caller, asked);
      if (errors.length > 0) throw tooMuch(errors);
      const { keyPrefix, scopes, subscriptions: names = [] } = asked;
      const found = await Promise.all(
        asked.streams.map((name) => streams.load(caller.tenant, name)),
      );
      await assertSubscriptions(caller, found, asked);
      const id = newKeyId(random);
      const validUntil = Math.min(clock.now() + asked.ttlSeconds * SECOND_MS, caller.validUntil);
      const lives = new Map(asked.streams.map((name, at) => [name, found[at]?.uid ?? ""]));
      const { tenant, keyId } = caller;
      const grant = {
        id,
        keyId,
        tenant,
        validUntil,
        scopes,
        keyPrefix,
        subscriptions: names,
        lives,
      };
      return {
        id,
        token: portalTokens.format(grant),
        streams: [...asked.streams],
        keyPrefix,
        subscriptions: [...names],
        scopes: [...scopes],
        expiresAt: new Date(validUntil).toISOString(),
      };
    },

    /**
     * Throws `forbidden` when a portal token was made for an earlier life of a stream, or for one
     * that is deleted. The check uses this process's cached copy, which may be a few seconds old.
     */
    async assertSameLife(caller: Caller, name: string): Promise<void> {
      if (caller.portal === undefined) return;
      const life = await streams
        .use(caller.tenant, name, async (stream) => lifeText(stream))
        .catch(missing);
      if (life === undefined || !coversLife(caller, name, life)) throw lifeEnded();
    },
  };

  /** Each of the subscriptions must be in one of the streams, and within the prefix in all. */
  async function assertSubscriptions(
    caller: Caller,
    found: readonly LiveStream[],
    { subscriptions: names = [], keyPrefix }: CreatePortalToken,
  ): Promise<void> {
    for (const [at, name] of names.entries()) {
      const pointer = `/subscriptions/${at}`;
      const rows = await Promise.all(found.map((stream) => loadRow(stream, name)));
      const present = rows.filter((row) => row !== undefined);
      // A bound key must not learn of subscriptions that it does not cover.
      if (present.length === 0 || present.some((row) => !coversDelivery(caller, row))) {
        throw subscriptionNotFound();
      }
      if (present.some((row) => !coversDelivery({ keyPrefix }, row))) {
        const prefix = JSON.stringify(keyPrefix);
        throw invalidRequest(pointer, `must have a filter whose keyPrefix begins with ${prefix}`);
      }
    }
  }

  async function loadRow(stream: LiveStream, name: string) {
    return (await subscriptions.load(stream, name).catch(missing))?.row;
  }
}

const GONE = new Set(["stream-not-found", "subscription-not-found"]);

function missing(error: unknown): undefined {
  if (error instanceof LedgerError && GONE.has(error.code)) return undefined;
  throw error;
}

const tooMuch = (errors: readonly InvalidField[]): LedgerError =>
  new LedgerError("forbidden", {
    detail:
      "A portal token can have no more rights than the API key that makes it. The errors name what your key lacks.",
    errors,
  });

/** Returns the problem for a portal token whose stream has ended. */
export const lifeEnded = (): LedgerError =>
  new LedgerError("forbidden", {
    detail:
      "The portal token was made for a stream that has been deleted. Ask for a new one if the stream exists again.",
  });
