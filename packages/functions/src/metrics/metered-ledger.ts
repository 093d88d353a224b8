import type { Ledger } from "@eventledger/core";
import type { Metrics } from "./metrics.ts";

/** Returns a ledger that counts the results of its operations. */
export function meterLedger(ledger: Ledger, metrics: Metrics): Ledger {
  return {
    ...ledger,

    async publish(tenant, stream, events, ...request) {
      const receipt = await ledger.publish(tenant, stream, events, ...request);
      if (!receipt.replayed) {
        metrics.count("EventsPublished", events.length);
        const bytes = events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
        metrics.count("BytesPublished", bytes);
      }
      return receipt;
    },

    async poll(...request) {
      return meterPage(await ledger.poll(...request));
    },

    async commitAndPoll(...request) {
      return meterPage(await ledger.commitAndPoll(...request));
    },

    async createSubscription(tenant, stream, config) {
      const answer = await ledger.createSubscription(tenant, stream, config);
      if (answer.created && config.start === "bootstrap") metrics.count("Bootstraps");
      return answer;
    },

    async seek(tenant, stream, subscription, body) {
      const receipt = await ledger.seek(tenant, stream, subscription, body);
      if (body.to === "bootstrap" && !body.dryRun) metrics.count("Bootstraps");
      return receipt;
    },

    async ring(...request) {
      const rung = await ledger.ring(...request);
      const lagging = [...rung.unfinished, ...rung.stuck.map(({ stream }) => stream)];
      await gaugeLag(lagging.length === 0, () => ledger.compactionLag(lagging));
      return rung;
    },

    async sweep(...request) {
      const swept = await ledger.sweep(...request);
      const fine = swept.done && swept.stuck.length === 0;
      await gaugeLag(fine, () => ledger.compactionLag());
      return swept;
    },
  };

  function meterPage<Page extends Awaited<ReturnType<Ledger["poll"]>>>(page: Page): Page {
    metrics.count("Polls");
    metrics.count("EventsDelivered", page.events.length);
    metrics.gauge("SubscriptionLagSeconds", page.lag.seconds);
    return page;
  }

  /** Measures the lag only when something lags. A failure of the table is reported elsewhere. */
  async function gaugeLag(fine: boolean, measure: () => Promise<number>): Promise<void> {
    const seconds = fine ? 0 : await measure().catch(() => undefined);
    if (seconds !== undefined) metrics.gauge("CompactionLagSeconds", seconds);
  }
}
