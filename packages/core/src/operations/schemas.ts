import { LIMITS, type PutSchemas, type SchemaCheck, type Schemas } from "@eventledger/protocol";
import { LedgerError } from "../kernel/error.ts";
import type { Tenant } from "../model/names.ts";
import { incompatibilities, isForbidden } from "../schema/compatibility.ts";
import { pointerPart } from "../schema/keywords.ts";
import { brokenReads, type Reader } from "../schema/reads.ts";
import { assertSchemas } from "../schema/stream-schemas.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import type { Parts } from "./parts.ts";

/** The schemas of the events of streams. */
export function schemaOperations({ streams, table }: Parts) {
  /** Returns what a change of the schemas would do. */
  async function compare(stream: LiveStream, wanted: PutSchemas): Promise<SchemaCheck> {
    const former = stream.schemas ?? NONE;
    const differences = incompatibilities(former, wanted);
    const breaks = brokenReads(former, wanted, await readersOf(stream));
    const isCompatible = !differences.some(({ direction }) =>
      isForbidden(direction, former.compatibility, wanted.compatibility),
    );
    return {
      accepted: isCompatible && breaks.length === 0,
      backward: !differences.some(({ direction }) => direction === "backward"),
      forward: !differences.some(({ direction }) => direction === "forward"),
      differences: [...differences],
      breaks: [...breaks],
    };
  }

  /** Returns as much of a result as an answer may hold. */
  const shorten = ({ differences, breaks, ...rest }: SchemaCheck): SchemaCheck => ({
    ...rest,
    differences: differences.slice(0, LIMITS.schemaDifferencesMax),
    breaks: breaks.slice(0, LIMITS.brokenReadsMax),
  });

  /** Returns the subscriptions that have registered the fields that they read. */
  async function readersOf(stream: LiveStream): Promise<readonly Reader[]> {
    const readers: Reader[] = [];
    for (let after: string | undefined; ; ) {
      const page = await table.subscriptions.list(stream.name, stream.uid, PAGE, after);
      for (const { name, config } of page.subscriptions) {
        if (config.reads !== undefined) readers.push({ name, reads: config.reads });
      }
      if (page.next === null) return readers;
      after = page.next;
    }
  }

  return {
    /** Throws `invalid-request` for schemas that are too large, too deep or not supported. */
    assertSchemas: (wanted: PutSchemas): void => assertSchemas(wanted),

    async getSchemas(tenant: Tenant, name: string): Promise<Schemas> {
      return complete((await streams.load(tenant, name)).schemas ?? NONE);
    },

    /**
     * Replaces the schemas of a stream. Other processes follow within 5 s. Throws
     * `invalid-request` for a schema that is not supported. Unless it is forced, it throws
     * `incompatible-schemas` for a change that the mode forbids, before or after it, and for one
     * that breaks a field which a subscription reads.
     */
    async putSchemas(
      tenant: Tenant,
      name: string,
      wanted: PutSchemas,
      { force = false }: { readonly force?: boolean } = {},
    ): Promise<Schemas> {
      assertSchemas(wanted);
      let next = wanted;
      await streams.setSchemas(tenant, name, async (stream) => {
        if (!force) assertAccepted(await compare(stream, wanted), stream, wanted);
        const { compatibility = "none" } = { ...stream.schemas, ...wanted };
        next = { ...wanted, compatibility };
        return isNone(next) ? undefined : next;
      });
      return complete(next);
    },

    /** Returns what `putSchemas` would do, and changes nothing. Throws `invalid-request`. */
    async checkSchemas(tenant: Tenant, name: string, wanted: PutSchemas): Promise<SchemaCheck> {
      assertSchemas(wanted);
      return shorten(await compare(await streams.load(tenant, name), wanted));
    },
  };
}

const PAGE = 500;
const SHOWN_MAX = 20;

const NONE: PutSchemas = { schemas: {}, undeclared: "accepted" };

const complete = ({ schemas, undeclared, compatibility = "none" }: PutSchemas): Schemas => ({
  ...{ schemas, undeclared, compatibility },
});

const isNone = ({ schemas, undeclared, compatibility }: PutSchemas): boolean =>
  Object.keys(schemas).length === 0 && undeclared === "accepted" && compatibility === "none";

function assertAccepted(
  { accepted, differences, breaks }: SchemaCheck,
  { schemas: former = NONE }: LiveStream,
  wanted: PutSchemas,
): void {
  if (accepted) return;
  const forbidden = differences.filter(({ direction }) =>
    isForbidden(direction, former.compatibility, wanted.compatibility),
  );
  const all = [
    ...forbidden.map(({ pointer, detail }) => ({ pointer, detail })),
    ...breaks.map(({ subscription, type, field, detail }) => ({
      pointer: `/schemas/${pointerPart(type)}`,
      detail: `breaks the subscription ${subscription}, which reads ${field} of ${type}: it ${detail}`,
    })),
  ];
  // In the mode `full`, both directions may have the same reason.
  const errors = [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
  const [first] = errors;
  const more = errors.length > 1 ? " The other reasons are in errors." : "";
  throw new LedgerError("incompatible-schemas", {
    detail: `${first?.pointer} ${first?.detail}.${more} Change it, or send force=true. Nothing was changed.`,
    errors: errors.slice(0, SHOWN_MAX),
    facts: { breaks: breaks.slice(0, SHOWN_MAX) },
  });
}
