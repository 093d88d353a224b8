import { relative } from "../output/words.ts";
import type { Register } from "../register.ts";

export function tenantsCommands({ program, act }: Register): void {
  const tenants = program.command("tenants").description("list and create tenants, as the admin");
  tenants
    .command("ls")
    .description("list the tenants besides default")
    .addHelpText("after", "\nExample:\n  $ el tenants ls")
    .action(
      act(async (cli) => {
        const { admin } = cli.server();
        const now = cli.io.now();
        const listed = await cli.out.list(admin.tenants.list({ signal: cli.io.signal }), {
          empty: "There are no tenants besides default.",
          columns: [
            { title: "TENANT", of: ({ name }) => name, isElastic: true },
            { title: "CREATED", of: ({ createdAt }) => relative(createdAt, now) },
          ],
        });
        if (listed === 0) await cli.out.hint("el tenants create acme");
      }),
    );
  tenants
    .command("create <tenant>")
    .description("create a tenant, or one more key with all rights in it")
    .addHelpText("after", "\nExample:\n  $ el tenants create acme")
    .action(
      act(async (cli, [name]) => {
        const { admin, lastStatus } = cli.server();
        const tenant = await admin.tenants.create(name, { signal: cli.io.signal });
        const isNew = lastStatus() === 201;
        const key = cli.out.style("bold", tenant.adminKey.apiKey);
        await cli.out.document(tenant, () =>
          isNew
            ? `Created the tenant ${name}. Its key: ${key}`
            : `The tenant ${name} already existed. One more key: ${key}`,
        );
        await cli.out.hint("keep the key now: it is not shown again");
      }),
    );
}
