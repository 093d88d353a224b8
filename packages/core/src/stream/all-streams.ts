import { defaultTenant, type Tenant } from "../model/names.ts";
import type { StreamRow } from "../table/stream.entity.ts";
import type { Table } from "../table/table.ts";

const PAGE = 100;

/** Yields every live stream of every tenant, tenant by tenant, page by page. */
export async function* allStreams(table: Table): AsyncGenerator<StreamRow, void> {
  for await (const tenant of allTenants(table)) {
    let after: StreamRow["name"] | null | undefined;
    do {
      const page = await table.directory.list(tenant, PAGE, after ?? undefined);
      yield* page.streams;
      after = page.next;
    } while (after !== null);
  }
}

/** The default tenant has no row. */
async function* allTenants(table: Table): AsyncGenerator<Tenant, void> {
  yield defaultTenant;
  let after: Tenant | null | undefined;
  do {
    const page = await table.tenants.list(PAGE, after ?? undefined);
    for (const { name } of page.tenants) yield name;
    after = page.next;
  } while (after !== null);
}
