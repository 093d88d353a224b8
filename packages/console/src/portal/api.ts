import type { Push, PushAttempt, PushDelivery } from "../../../sdk/src/admin/index.ts";
import { LedgerProblem } from "../../../sdk/src/errors.ts";
import type { Event } from "../api.ts";
import { type Query, request } from "./session.ts";

/** Sends the requests of the portal. */

export type { Event, Push, PushAttempt, PushDelivery };

/** A subscription that the token covers. */
export type Target = { readonly stream: string; readonly subscription: string };

export type EventPage = {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly caughtUp: boolean;
};

export type Deliveries = {
  readonly deliveries: readonly PushDelivery[];
  readonly cursor: string | null;
};

const pathOf = ({ stream, subscription }: Target): string =>
  `/streams/${encodeURIComponent(stream)}/subscriptions/${encodeURIComponent(subscription)}/push`;

export const api = {
  events: (stream: string, query: Query, signal?: AbortSignal) =>
    request<EventPage>("GET", `/streams/${encodeURIComponent(stream)}/events`, { query, signal }),
  push: (of: Target, signal?: AbortSignal) => request<Push>("GET", pathOf(of), { signal }),
  setPush: (of: Target, settings: object) =>
    request<Push & { readonly secret?: string }>("PUT", pathOf(of), { body: settings }),
  deletePush: (of: Target) => request<void>("DELETE", pathOf(of)),
  enable: (of: Target) => request<Push>("POST", `${pathOf(of)}/enable`),
  disable: (of: Target) => request<Push>("POST", `${pathOf(of)}/disable`),
  test: (of: Target) => request<PushAttempt>("POST", `${pathOf(of)}/test`),
  rotate: (of: Target) =>
    request<Push & { readonly secret: string }>("POST", `${pathOf(of)}/rotate`),
  replay: (of: Target, from: string) =>
    request<Push>("POST", `${pathOf(of)}/replay`, { body: { from } }),
  async resend(of: Target, { key, sequence }: Pick<Event, "key" | "sequence">) {
    const body = { key, sequence };
    return request<PushAttempt>("POST", `${pathOf(of)}/resend`, { body }).catch(unlessMissing);
  },
  deliveries: (of: Target, cursor?: string, signal?: AbortSignal) =>
    request<Deliveries>("GET", `${pathOf(of)}/deliveries`, {
      query: { limit: 50, cursor },
      signal,
    }),
};

function unlessMissing(error: unknown): never {
  if (LedgerProblem.is(error, "push-not-found")) throw new Error("There is no endpoint yet.");
  throw error;
}

/** Describes what an endpoint said to a delivery. */
export function answerOf({ status, error = "no answer" }: Pick<PushAttempt, "status" | "error">) {
  return status === undefined ? error : `answered ${status}`;
}
