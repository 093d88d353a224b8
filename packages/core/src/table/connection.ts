import type { EntityConfiguration } from "electrodb";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";

type Client = NonNullable<EntityConfiguration["client"]>;

/**
 * The dependencies of every row kind for access to the table. The client must not retry by itself.
 */
export type Connection = {
  readonly client: Client;
  readonly table: string;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * Returns the configuration for ElectroDB. Identifiers are short, because every item pays for their
 * bytes.
 */
export const entityConfig = ({ client, table }: Connection) => ({
  client,
  table,
  identifiers: { entity: "_e", version: "_v" },
});
