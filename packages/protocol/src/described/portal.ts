import * as z from "zod/mini";
import { PortalScope } from "../portal.ts";
import { described, Name, Timestamp } from "../text.ts";

/** The answer that makes a portal token. The server does not store the token. */
export const NewPortalToken = described(
  z.object({
    id: described(z.string(), { description: "Names the token in the audit stream." }),
    token: described(z.string(), {
      description: "The token. It is sent as `Authorization: Bearer`, as an API key is.",
    }),
    streams: described(z.array(Name), { description: "The streams that the token covers." }),
    keyPrefix: described(z.string(), {
      description: "The beginning of the event keys that the token covers. Empty: any key.",
    }),
    subscriptions: described(z.array(Name), {
      description: "The subscriptions that the token covers.",
    }),
    scopes: described(z.array(PortalScope), { description: "What the token may do." }),
    expiresAt: described(Timestamp, { description: "When the token expires." }),
  }),
  { id: "NewPortalToken", description: "A portal token, which only this answer shows." },
);
export type NewPortalToken = z.infer<typeof NewPortalToken>;
