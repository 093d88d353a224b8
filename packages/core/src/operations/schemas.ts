import type { PutSchemas } from "@eventledger/protocol";
import type { Tenant } from "../model/names.ts";
import { assertSchemas } from "../schema/stream-schemas.ts";
import type { Parts } from "./parts.ts";

/** The schemas of the events of streams. */
export const schemaOperations = ({ streams }: Parts) => ({
  async getSchemas(tenant: Tenant, name: string): Promise<PutSchemas> {
    return (await streams.load(tenant, name)).schemas ?? NONE;
  },

  /**
   * Replaces the schemas of a stream. Other processes follow within 5 s. Throws `invalid-request`
   * for a schema that is not supported.
   */
  async putSchemas(tenant: Tenant, name: string, wanted: PutSchemas): Promise<PutSchemas> {
    assertSchemas(wanted);
    const isNone = Object.keys(wanted.schemas).length === 0 && wanted.undeclared === "accepted";
    await streams.setSchemas(tenant, name, isNone ? undefined : wanted);
    return wanted;
  },
});

const NONE: PutSchemas = { schemas: {}, undeclared: "accepted" };
