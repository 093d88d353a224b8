import type { StoredEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import type { PushRow } from "../table/push.entity.ts";
import type { PushAnswer } from "./push-plan.ts";
import { pushUnavailable } from "./push-problems.ts";

/** Encrypts the secrets of endpoints. `context` binds a text to its place. */
export type Seal = {
  seal(text: string, context: string): Uint8Array;
  /** Throws when the text was sealed with a different key or for a different place. */
  open(sealed: Uint8Array, context: string): string;
};

/** One delivery, as it is signed and sent. */
export type Delivery = {
  /** Identifies the event to the receiver. It is the same at every attempt. */
  readonly id: string;
  readonly url: string;
  readonly format: PushRow["format"];
  readonly timeoutMs: number;
  readonly secrets: readonly string[];
  readonly streamName: string;
  readonly event: StoredEvent;
};

/** Sends deliveries. It never throws: an error that prevents an answer is returned as one. */
export type Deliver = (delivery: Delivery) => Promise<PushAnswer>;

/** The parts of pushing that depend on the environment. */
export type PushPort = {
  readonly seal: Seal;
  readonly deliver: Deliver;
  /** Throws `invalid-request` for a URL to which no delivery may be sent. */
  assertUrl(url: string): void;
};

/** Throws `push-unavailable` on a server that does not push. */
export function portOf({ push }: { readonly push: PushPort | undefined }): PushPort {
  if (push === undefined) throw pushUnavailable();
  return push;
}

/** Returns the id of a delivery. It has no dot, because signatures join their parts with dots. */
export const deliveryId = (uid: string, partition: number, { sequence }: StoredEvent): string =>
  `${uid.replaceAll(".", "-")}_${partition}_${sequence}`;

/** Returns the context for which the secrets of a push are sealed. */
export const sealContext = (life: Life, subscriptionUid: string): string =>
  `push ${life} ${subscriptionUid}`;

/** Opens the secrets that are valid now. */
export const secretsOf = (
  { life, subscriptionUid, secrets }: PushRow,
  seal: Seal,
  nowMs: number,
): string[] =>
  secrets
    .filter(({ until }) => until === undefined || until > nowMs)
    .map(({ sealed }) => seal.open(sealed, sealContext(life, subscriptionUid)));
