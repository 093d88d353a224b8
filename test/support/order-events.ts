import { type SeededRandom, seededRandom } from "../simulation/dynamodb/seeded-random.ts";

/** An event of a shop. It has about 350 bytes of JSON. */
export type OrderEvent = {
  readonly key: string;
  readonly type: string;
  readonly data: object;
};

const FIRST = [
  "Ada",
  "Björn",
  "Chidi",
  "Dolores",
  "Emre",
  "Fatima",
  "Grete",
  "Hiro",
  "Ines",
  "Jonas",
];
const LAST = ["Okafor", "Lindqvist", "Moreau", "Papadakis", "Nguyen", "Weiß", "Kowalski", "Tanaka"];
const STREETS = [
  "Hauptstraße",
  "Elm Street",
  "Rue Lafayette",
  "Via Roma",
  "Calle Mayor",
  "Storgatan",
];
const CITIES = ["Berlin", "Portland", "Lyon", "Torino", "Valencia", "Uppsala", "Gdańsk", "Osaka"];
const TYPES = ["order.placed", "order.paid", "order.packed", "order.shipped", "order.delivered"];

/**
 * Returns orders of a shop in sequence: rising order numbers and times, and realistic customers,
 * articles, prices and addresses. The seed determines them.
 */
export function orderEvents(count: number, seed: number | string = 1): OrderEvent[] {
  const random = seededRandom(seed);
  let number = 4_000_000;
  let placedAtMs = 1_790_000_000_000;
  return Array.from({ length: count }, () => {
    number += random.between(1, 30);
    placedAtMs += random.between(5, 4_000);
    return orderEvent(random, `${number}`, new Date(placedAtMs).toISOString());
  });
}

function orderEvent(random: SeededRandom, orderId: string, placedAt: string): OrderEvent {
  const lines = Array.from({ length: random.between(1, 2) }, () => ({
    article: random.between(10_000, 99_999),
    quantity: random.between(1, 4),
    priceCents: random.between(99, 19_999),
  }));
  const data = {
    orderId,
    placedAt,
    channel: random.pick(["web", "app", "store"]),
    customer: {
      id: random.between(100_000, 999_999),
      name: `${random.pick(FIRST)} ${random.pick(LAST)}`,
    },
    lines,
    totalCents: lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0),
    shipTo: {
      street: `${random.pick(STREETS)} ${random.between(1, 240)}`,
      postalCode: String(random.between(10_000, 99_999)),
      city: random.pick(CITIES),
    },
  };
  return { key: `order-${orderId}`, type: random.pick(TYPES), data };
}
