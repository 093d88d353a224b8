import type { Ledger } from "@eventledger/core";
import { openMetricsLog } from "./metrics/lambda.ts";
import { describeError, logLine } from "./metrics/log-line.ts";
import { openLedger, readConfig } from "./open-ledger.ts";
import { type Bell, type Bells, readBell, timed } from "./push/bells.ts";
import { openPushFrom } from "./push/open-push.ts";
import { queueFrom } from "./push/queue.ts";

type QueueEvent = { readonly Records: readonly { readonly body: string }[] };

/** The time that a run may use, besides that of its last page. */
const BUDGET_MS = 50_000;
/** After five minutes, the function's timeout, a run has certainly ended. */
const AWAKE_MS = 5 * 60_000;
/** A run that throws is repeated after 5 s, 10 s, 20 s and so on. After the last one it is dead. */
const TRIES = 8;
const PAUSE_MS = 5_000;

type Deps = {
  readonly ledger: Pick<Ledger, "runPushAlone">;
  readonly bells: Bells;
  readonly now: () => number;
};

/**
 * Runs the pushes whose bells the queue delivers, and rings for the work that a run has postponed.
 * Throws when a run has failed for the last time, or when the queue does not accept a bell. The
 * queue then delivers the message again, and finally moves it to the dead bells.
 */
export const createPusherHandler = ({ ledger, bells, now }: Deps) => {
  async function answer(bell: Bell): Promise<void> {
    const { life, subscriptionUid, at = 0, tries = 0 } = bell;
    if (at > now()) return bells.send([timed(bell, now())]);
    const id = { life, subscriptionUid };
    try {
      const limits = { budgetMs: BUDGET_MS, awakeMs: AWAKE_MS, isRepeated: tries > 0 };
      const { againAt } = await ledger.runPushAlone(id, limits);
      if (againAt !== undefined) await bells.send([timed({ ...id, at: againAt }, now())]);
    } catch (error) {
      logLine({ level: "ERROR", life, subscriptionUid, tries, ...describeError(error) });
      if (tries >= TRIES) throw error;
      const again = now() + PAUSE_MS * 2 ** tries;
      await bells.send([timed({ ...id, at: again, tries: tries + 1 }, now())]);
    }
  }

  return async ({ Records }: QueueEvent): Promise<void> => {
    await Promise.all(Records.map(({ body }) => answer(readBell(body))));
  };
};

let opened: ReturnType<typeof open> | undefined;

function open() {
  const bells = queueFrom(process.env);
  if (bells === undefined) throw new Error("The environment variable BELLS_URL is not set");
  const config = readConfig(process.env, { serves: false });
  const push = openPushFrom(process.env);
  const { ledger, metrics } = openLedger({ ...config, push });
  return {
    push: createPusherHandler({ ledger, bells, now: Date.now }),
    metricsLog: openMetricsLog(metrics, config),
  };
}

/** The entry point for the queue of bells. The first call opens the ledger. */
export const handler = async (event: QueueEvent): Promise<void> => {
  opened ??= open();
  try {
    await opened.push(event);
  } finally {
    opened.metricsLog.flush();
  }
};
