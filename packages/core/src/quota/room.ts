import { LIMITS } from "@eventledger/protocol";
import { defaultTenant, isAuditStream, scopeName, type Tenant } from "../model/names.ts";
import type { Table } from "../table/table.ts";
import { type createLimiter, quotaExceeded } from "./limiter.ts";

type Deps = {
  readonly table: Table;
  readonly limiter: Pick<ReturnType<typeof createLimiter>, "limitsOf">;
};

const PAGE = 100;
const RETRY_SECONDS = 60;

/**
 * Refuses to create a stream or a subscription beyond the tenant's quota. Creating one that exists
 * is never refused. Concurrent requests may exceed the quota by a few. Counting costs reads, and
 * only a tenant with such a quota pays for them.
 */
export function createRoom({ table, limiter }: Deps) {
  async function* streamsOf(tenant: Tenant) {
    let after: Parameters<Table["directory"]["list"]>[2];
    do {
      const page = await table.directory.list(tenant, PAGE, after);
      yield* page.streams.filter(({ name }) => !isAuditStream(name));
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  return {
    async assertForStream(tenant: Tenant, name: string): Promise<void> {
      if (tenant === defaultTenant) return;
      const { streams: limit } = await limiter.limitsOf(tenant);
      if (limit === undefined) return;
      if ((await table.streams.load(scopeName(tenant, name)))?.status === "live") return;
      let count = 0;
      for await (const _ of streamsOf(tenant)) count++;
      if (count >= limit) throw over("streams", limit);
    },

    async assertForSubscription(tenant: Tenant, stream: string, name: string): Promise<void> {
      if (tenant === defaultTenant) return;
      const { subscriptions: limit } = await limiter.limitsOf(tenant);
      if (limit === undefined) return;
      const of = scopeName(tenant, stream);
      const uid = (await table.streams.load(of))?.uid ?? "";
      if ((await table.subscriptions.load(of, uid, name)) !== undefined) return;
      let count = 0;
      for await (const row of streamsOf(tenant)) {
        let after: string | null | undefined;
        do {
          const size = LIMITS.listedSubscriptionsMax;
          const page = await table.subscriptions.countFrom(
            row.name,
            row.uid,
            size,
            after ?? undefined,
          );
          count += page.count;
          after = page.next;
        } while (after !== null);
      }
      if (count >= limit) throw over("subscriptions", limit);
    },
  };
}

const over = (quota: "streams" | "subscriptions", limit: number) =>
  quotaExceeded({ of: "tenant", quota, limit, retryAfterSeconds: RETRY_SECONDS });
