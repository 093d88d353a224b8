import { EventLedger, rawJson } from "../../packages/sdk/src/index.ts";

/** Data that a page must show unchanged: markup, direction marks, unusual numbers and texts. */
export const HOSTILE: readonly (readonly [key: string, data: string])[] = [
  [
    "<img src=x onerror=alert(1)>",
    '{"html":"<script>alert(1)</script><img src=x onerror=alert(2)>"}',
  ],
  ["rtl-\u202Egnp.exe", '{"name":"\u202Eevil\u2066 \u200F","zero":"a\u200Bb"}'],
  ["numbers", '{"big":9007199254740993,"huge":1e400,"minus":-0,"spelled":1.10}'],
  ["nul", '{"text":"\\u0000 and \\u001b[31m","__proto__":{"polluted":true},"a":1,"a":2}'],
  ["long", JSON.stringify({ text: "x".repeat(255 * 1024) })],
  ["wide", JSON.stringify(Object.fromEntries(many(10_000, (n) => [`member-${n}`, n])))],
  ["percent %2F and #?&=/", '{"slash":"/"}'],
];

function many<T>(length: number, of: (n: number) => T): T[] {
  return Array.from({ length }, (_, n) => of(n));
}

const STEPS = ["placed", "paid", "packed", "shipped", "delivered"];

/** Returns the event of an order at one step of its processing. */
const orderEvent = (n: number) => {
  const order = n % 97;
  const step = Math.floor(n / 97) % STEPS.length;
  return {
    key: `order-${1000 + order}`,
    type: `order.${STEPS[step]}`,
    data: {
      total: 20 + ((order * 7) % 80),
      currency: "EUR",
      status: STEPS[step],
      customer: { id: `customer-${order % 31}`, country: ["DE", "FR", "AT"][order % 3] },
      ...(step > 0 ? { paid: true, method: order % 2 ? "card" : "invoice" } : {}),
      ...(step > 2 ? { parcel: `PX${100_000 + order}` } : {}),
    },
  };
};

export type Seeded = { readonly url: string; readonly adminKey: string };

/** Fills a ledger with what an operator would find in one: several streams, lags, parked keys. */
export async function seed({ url, adminKey }: Seeded): Promise<void> {
  const ledger = new EventLedger({ url, apiKey: adminKey });
  const names = [
    ["billing.invoices", "Invoices and credit notes of the billing service"],
    ["catalog", "Products and prices, one key for each article"],
    ["orders", "Every step of an order, from the shop to the door"],
    ["payments", "What the payment provider reports"],
    ["hostile", ""],
  ] as const;
  for (const [name, description] of names) {
    const partitions = name === "payments" ? 4 : 1;
    await ledger.createStream(name, { description, partitions });
  }
  const orders = ledger.stream("orders");
  for (let from = 0; from < 600; from += 200) {
    await orders.publish(many(200, (n) => orderEvent(from + n)));
  }
  await orders.delete("order-1003");
  await orders.publish({ key: "order-1003", type: "order.placed", data: { total: 12 } });
  await ledger.stream("payments").publish(
    many(80, (n) => ({
      key: `payment-${n}`,
      type: n % 9 === 0 ? "payment.refused" : "payment.settled",
      data: { amount: n * 3, order: `order-${1000 + n}` },
    })),
  );
  await ledger
    .stream("catalog")
    .publish(
      many(40, (n) => ({ key: `article-${n}`, type: "article.changed", data: { price: n + 0.5 } })),
    );
  await ledger
    .stream("billing.invoices")
    .publish(
      many(25, (n) => ({ key: `invoice-${n}`, type: "invoice.sent", data: { net: n * 100 } })),
    );
  for (const [key, data] of HOSTILE) {
    await ledger.stream("hostile").publish({ key, type: "<b>type</b>", data: rawJson(data) });
  }
  await subscribe(ledger);
  await push(ledger);
  for (const name of ["orders", "catalog", "hostile"]) await ledger.stream(name).compact();
  await ledger.request({
    method: "POST",
    path: "/streams/orders/subscriptions",
    body: { name: "search-index", start: "bootstrap" },
  });
  const keys = [
    { name: "shop backend", scopes: ["publish"], streams: ["orders"] },
    { name: "shipping service", scopes: ["read", "consume"], streams: ["orders"] },
    { name: "reports", scopes: ["read"], streams: ["billing.*", "orders"], keyPrefix: "order-" },
  ];
  for (const body of keys) await ledger.request({ method: "POST", path: "/keys", body });
}

async function subscribe(ledger: EventLedger): Promise<void> {
  const at = "/streams/orders/subscriptions";
  const post = (path: string, body: Record<string, unknown>) =>
    ledger.request<{ cursor: string }>({ method: "POST", path: `${at}${path}`, body });
  await post("", { name: "shipping", start: "earliest", maxDeliveries: 5 });
  await post("", { name: "billing", start: "earliest", filter: { types: ["order.paid"] } });
  await post("", { name: "mail", start: "latest" });
  const page = await post("/shipping/poll", { limit: 400, consumer: "shipping-1" });
  await post("/shipping/poll", { commit: page.cursor, limit: 1, consumer: "shipping-1" });
  await post("/shipping/poll", { limit: 1, consumer: "shipping-2" });
  const reasons = [
    "no such customer",
    "the parcel service answered 500: label printer <offline>",
    "address is not complete",
  ];
  for (const [n, reason] of reasons.entries()) {
    await post("/shipping/park", { sequence: 300 + n, reason });
  }
}

/** An endpoint that nothing listens at: its push is failing from the first delivery on. */
async function push(ledger: EventLedger): Promise<void> {
  const path = "/streams/payments/subscriptions";
  await ledger.request({ method: "POST", path, body: { name: "books", start: "earliest" } });
  const body = { url: "http://localhost:9/hooks/payments" };
  await ledger.request({ method: "PUT", path: `${path}/books/push`, body });
}
