import { describe, expect, it } from "vitest";
import {
  bareName,
  defaultTenant,
  type Life,
  lifeOf,
  type ScopedName,
  scopeName,
  type Tenant,
  tenantOf,
} from "./names.ts";

const takesName = (name: ScopedName): string => name;
const takesLife = (life: Life): string => life;
const takesTenant = (tenant: Tenant): string => tenant;

describe("names", () => {
  it("[tenant.isolated] a name without its tenant does not compile as part of a row key", () => {
    const acme = tenantOf("acme");
    // @ts-expect-error a name alone says nothing of its tenant
    takesName("orders");
    // @ts-expect-error neither does a tenant's
    takesName(acme);
    // @ts-expect-error only tenantOf makes an owner of streams
    takesTenant("acme");
    // @ts-expect-error a tenant comes first
    scopeName("orders", acme);
    // @ts-expect-error a life is more than a name
    takesLife(scopeName(acme, "orders"));
    // @ts-expect-error and begins with a qualified one
    lifeOf("orders", "uid");
    expect(takesLife(lifeOf(scopeName(acme, "orders"), "uid"))).toBe("acme/orders#uid");
  });

  it("[tenant.isolated] names of different tenants are never equal", () => {
    const tenants = ["default", "a", "a.b", "a-b", "default.x", "0"].map(tenantOf);
    const names = ["a", "a.b", "b", "default", "orders", "x.orders"];
    const scoped = tenants.flatMap((tenant) => names.map((name) => scopeName(tenant, name)));
    expect(new Set(scoped).size).toBe(scoped.length);
    expect(scoped.map(bareName)).toEqual(tenants.flatMap(() => names));
    expect(scopeName(defaultTenant, "orders")).toBe("orders");
  });

  it("[tenant.isolated] a tenant's name contains no separator", () => {
    for (const wrong of ["", "A", "a/b", "a#b", "a b", "a\n", ".a", "a".repeat(65)]) {
      expect(() => tenantOf(wrong)).toThrow(RangeError);
    }
  });
});
