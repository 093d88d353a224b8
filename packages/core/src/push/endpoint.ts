import { LIMITS } from "@eventledger/protocol";
import { HOUR_MS } from "../kernel/time.ts";
import type { StoredEvent } from "../model/event.ts";
import type { Life } from "../model/names.ts";
import type { PushRow, SealedSecret } from "../table/push.entity.ts";
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

/** At most this many former secrets sign, however often a secret is rotated. */
const FORMER_MAX = 3;

/** This many secrets sign before they are shown. */
const PREPARED = 2;

/** Returns the secrets of a new push: the one that is shown, and those of the next rotations. */
export const firstSecrets = (
  shown: SealedSecret,
  make: () => SealedSecret,
): readonly SealedSecret[] => [shown, ...Array.from({ length: PREPARED }, () => prepare(make))];

/**
 * Returns the secrets of a push after a rotation, the new one first. It was prepared before and has
 * signed since then. A delivery that has begun is therefore valid to a receiver that changes its
 * secret at once, even twice, and the former secrets make it valid to one that changes later.
 */
export function rotateSecrets(
  secrets: readonly SealedSecret[],
  nowMs: number,
  make: () => SealedSecret,
): readonly SealedSecret[] {
  const [next = make(), ...prepared] = secrets.filter((secret) => secret.prepared);
  const more = Array.from({ length: PREPARED - prepared.length }, () => prepare(make));
  const endsAt = nowMs + LIMITS.pushOverlapHours * HOUR_MS;
  const former = secrets
    .filter(({ prepared: isPrepared, until = endsAt }) => !isPrepared && until > nowMs)
    .map((secret) => ({ until: endsAt, ...secret }));
  const shown = { sealed: next.sealed };
  return [shown, ...former.slice(0, FORMER_MAX), ...prepared, ...more];
}

const prepare = (make: () => SealedSecret): SealedSecret => ({ ...make(), prepared: true });
