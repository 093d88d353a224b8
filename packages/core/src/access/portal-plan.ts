import type { CreatePortalToken, InvalidField, PortalScope } from "@eventledger/protocol";
import { type Caller, excessOf } from "./permission.ts";

/** The scope of a key that a scope of a portal token is a part of. */
const PART_OF = { read: "read", endpoints: "operate" } as const satisfies Record<
  PortalScope,
  Caller["scopes"][number]
>;

/** Returns each right of a portal token that the key which makes it lacks. Pure. */
export function excessOfPortal(
  maker: Caller,
  { scopes, streams, subscriptions = [], keyPrefix }: CreatePortalToken,
): InvalidField[] {
  const lacking = scopes.flatMap((scope, at) =>
    maker.scopes.includes(PART_OF[scope])
      ? []
      : [{ pointer: `/scopes/${at}`, detail: `needs the scope ${PART_OF[scope]}` }],
  );
  return [...lacking, ...excessOf(maker, { scopes: [], streams, subscriptions, keyPrefix })];
}
