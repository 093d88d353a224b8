import { afterAll } from "vitest";
import { holdTo } from "../contract/hold.ts";
import { LEDGER_SUITES } from "../contract/ledger-suites.ts";
import { apiGatewayEvent } from "../infra/http-event.ts";
import { ADMIN_KEY, openHandler, openOnFake } from "./doors.ts";
import { startGateway } from "./gateway.ts";

const opened = openOnFake();
const gateway = await startGateway(openHandler(opened), apiGatewayEvent);
afterAll(async () => {
  opened.close();
  await gateway.stop();
});
holdTo({ baseUrl: gateway.url, apiKey: ADMIN_KEY }, LEDGER_SUITES);
