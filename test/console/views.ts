import type { Page } from "playwright-core";

/** Every view by its address, with a text that it shows. */
export const VIEWS: readonly (readonly [hash: string, text: string])[] = [
  ["#/streams", "billing.invoices"],
  ["#/streams/orders/events", "order-1003"],
  ["#/streams/orders/events?seq=588&of=order-1005", "customer-5"],
  ["#/streams/orders/events?find=nothing&live=off", "No event here"],
  ["#/streams/hostile/events", "rtl-\\u202egnp.exe"],
  ["#/streams/orders/states", "order-1000"],
  ["#/streams/orders/key?key=order-1003", "tombstone"],
  ["#/streams/orders/about", "Oldest kept event"],
  ["#/streams/orders/subscriptions", "shipping"],
  ["#/streams/orders/subscriptions/shipping", "Lag since this page was opened"],
  ["#/streams/orders/subscriptions/search-index", "bootstrap"],
  ["#/streams/orders/subscriptions/shipping/parked", "no such customer"],
  ["#/streams/payments/subscriptions/books", "Failed deliveries"],
  ["#/keys", "shop backend"],
  ["#/tenants", "There is only the tenant default"],
  ["#/usage?by=tenant", "Requests"],
  ["#/nowhere", "There is nothing at this address"],
];

type Open = (page: Page) => Promise<unknown>;

const press =
  (name: string | RegExp): Open =>
  (page) =>
    page.getByRole("button", { name }).first().click();

const SHIPPING = "#/streams/orders/subscriptions/shipping";
const LAG = "Lag since this page was opened";
const PUSHED = "#/streams/payments/subscriptions/books";
const FAILURES = "Failed deliveries";

/** Every dialog: its name, its address, a text that it shows, and how it is opened. */
export const DIALOGS: readonly (readonly [name: string, hash: string, text: string, open: Open])[] =
  [
    ["create a stream", "#/streams", "catalog", press("Create a stream")],
    ["shortcuts", "#/streams", "catalog", (page) => page.keyboard.press("?")],
    ["publish", "#/streams/orders/events", "order-1003", press("Publish an event")],
    [
      "publish like",
      "#/streams/orders/events?seq=602&of=order-1003",
      "order.placed",
      press("Publish one like it"),
    ],
    ["change a stream", "#/streams/orders/about", "Oldest kept event", press("Change")],
    ["delete a stream", "#/streams/orders/about", "Oldest kept event", press("Delete")],
    ["schemas", "#/streams/orders/about", "Compatibility of changes", press("Change schemas")],
    [
      "schemas with a check",
      "#/streams/orders/about",
      "Compatibility of changes",
      async (page) => {
        await press("Change schemas")(page);
        await page.getByLabel("JSON Schemas by type").fill('{"order.placed":{"type":"object"}}');
        await press(/^Check$/)(page);
        await page.getByText("The change is accepted.").waitFor();
      },
    ],
    ["subscribe", "#/streams/orders/subscriptions", "shipping", press("Create a subscription")],
    ["seek", SHIPPING, LAG, press("Seek")],
    [
      "seek with a preview",
      SHIPPING,
      LAG,
      async (page) => {
        await press("Seek")(page);
        await page.getByLabel("Time, sequence or cursor").fill("#200");
        await press("Look first")(page);
        await page.getByText(/events will be delivered/).waitFor();
      },
    ],
    ["change a subscription", SHIPPING, LAG, press("Change")],
    ["delete a subscription", SHIPPING, LAG, press("Delete")],
    ["push", SHIPPING, LAG, press("Push to an endpoint")],
    ["change an endpoint", PUSHED, FAILURES, press("Change the endpoint")],
    ["rotate the secret of an endpoint", PUSHED, FAILURES, press("Rotate the secret")],
    [
      "the secret of an endpoint",
      PUSHED,
      FAILURES,
      async (page) => {
        await press("Rotate the secret")(page);
        await press("Make a new secret")(page);
        await page.locator(".secret").waitFor();
      },
    ],
    ["end a push", PUSHED, FAILURES, press("End the push")],
    ["skip", `${SHIPPING}/parked`, "no such customer", press("Skip order-1008")],
    ["create a key", "#/keys", "shop backend", press("Create a key")],
    [
      "a secret",
      "#/keys",
      "shop backend",
      async (page) => {
        await press("Rotate reports")(page);
        await press("Make a new secret")(page);
        await page.locator(".secret").waitFor();
      },
    ],
    ["rotate a key", "#/keys", "shop backend", press("Rotate shop backend")],
    ["limits of a key", "#/keys", "shop backend", press("Limits of shop backend")],
    ["revoke a key", "#/keys", "shop backend", press("Revoke shop backend")],
    ["create a tenant", "#/tenants", "There is only the tenant default", press("Create a tenant")],
  ];
