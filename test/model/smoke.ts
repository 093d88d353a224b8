import { createLedger, defaultTenant as t, systemRandom } from "../../packages/core/src/index.ts";
import { createFakeDynamo } from "./fake-dynamodb.ts";
let now = Date.parse("2026-01-01");
const fake = createFakeDynamo({ tableName: "x", nowMs: () => now });
const clock = { now: () => now, monotonic: () => now, sleep: async (ms: number) => { now += ms; } };
const ledger = createLedger({ client: fake.client() as never, tableName: "x", clock, random: systemRandom, cursorKeys: [{ id: 1, secret: Buffer.from("x") }] });
const ev = (key: string, data: unknown) => ({ attributes: { key }, data: JSON.stringify(data) as never });
for (const partitions of [1, 64]) {
  const s = `s${partitions}`;
  await ledger.createStream(t, { name: s, description: "", partitions, compaction: "key", retentionHours: 1, archiveDays: null });
  await ledger.createSubscription(t, s, { name: "sub", start: "bootstrap" });
  for (let i = 0; i < 100; i++) await ledger.publish(t, s, [ev(`k${i % 30}`, i % 7 === 0 ? null : i)]);
  console.log(await ledger.compact(t, s));
  for (let i = 0; i < 10; i++) await ledger.publish(t, s, [ev(`k${i % 30}`, i % 7 === 0 ? null : i)]);
  let after: string | undefined;
  for (let i = 0; i < 20; i++) {
    now += 1000;
    const p = await ledger.poll(t, s, "sub", { limit: 10, ...(after ? { after } : {}) } as never);
    console.log(p.events.length, p.phase, p.snapshotEnd, p.consistent, p.caughtUp, p.lag, p.cursor.length);
    if (i % 2) { const c = await ledger.commit(t, s, "sub", p.cursor); console.log("commit", c.stale, c.lag); }
    after = i % 3 === 0 ? p.cursor : undefined;
    if (!(i%2)) after = p.cursor;
    if (p.caughtUp) break;
  }
  console.log(await ledger.getSubscription(t, s, "sub"));
  console.log(await ledger.seek(t, s, "sub", { to: "bootstrap" }).then((r) => r.phase));
  console.log(await ledger.getSubscription(t, s, "sub"));
  const l = await ledger.listCompacted(t, s, { limit: 500, prefix: "k2" });
  console.log(l.items.map((e) => e.key), l.cursor, l.follow.length);
  const b = await ledger.browse(t, s, { from: l.follow, limit: 100 } as never);
  console.log(b.events.length, b.caughtUp);
  console.log(await ledger.getCompacted(t, s, "k2"), await ledger.getCompacted(t, s, "k7").catch((e) => e.facts));
}
now += 3 * 3600_000;
console.log(await ledger.sweep());
console.log(await ledger.sweep());
await ledger.deleteStream(t, "s64");
console.log(await ledger.sweep());
now += 3600_000;
console.log(await ledger.sweep());
console.log(fake.refusals, fake.items().filter((i) => String(i.pk).includes("s64")).length);
