import { setTimeout as sleep } from "node:timers/promises";
import { digest, type Followed } from "./followed.ts";
import { type Door, request } from "./request.ts";

type Page = {
  readonly events: readonly { sequence: number; key: string; type: string; data: unknown }[];
  readonly cursor: string;
  readonly nextPollMs: number;
};

/**
 * Follows a subscription forever: it polls, processes and commits. It commits only what it has
 * processed. If it is killed, the next follower therefore misses nothing, but may receive the last
 * page again.
 */
async function follow(door: Door, subscription: string): Promise<never> {
  for (;;) {
    const page = await request<Page>(door, "GET", `${subscription}/poll?limit=${PAGE_EVENTS}`);
    for (const { sequence, key, type, data } of page.events) {
      const followed: Followed = { sequence, key, type, digest: digest(data) };
      process.stdout.write(`${JSON.stringify(followed)}\n`);
    }
    if (page.events.length > 0) {
      await request(door, "POST", `${subscription}/commit`, { cursor: page.cursor });
    }
    await sleep(page.nextPollMs);
  }
}

const PAGE_EVENTS = 20;

const { EVENTLEDGER_URL: url = "", EVENTLEDGER_API_KEY: apiKey = "" } = process.env;
await follow({ url, apiKey }, process.argv[2] ?? "");
