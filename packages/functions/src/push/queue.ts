import { setTimeout as sleep } from "node:timers/promises";
import { createSigner } from "../store/sign.ts";
import type { Bells, Rung } from "./bells.ts";

export type QueueConfig = {
  readonly url: string;
  readonly region: string;
  /** The endpoint of the service. If absent, that of the queue's URL. */
  readonly endpoint?: string | undefined;
};

type Credentials = Parameters<ReturnType<typeof createSigner>>[1];
type Answer = { readonly Successful?: readonly { readonly Id: string }[] };

/** The maximum number of messages in a request. */
const ENTRIES_MAX = 10;
const TRIES = 4;
const PAUSE_MS = 100;
const TIMEOUT_MS = 3_000;

/**
 * Opens a queue of SQS for sending. A function has its credentials in the environment. After a lost
 * answer the messages are sent again, so that some may arrive twice.
 */
export function openQueue(
  { url, region, endpoint = new URL(url).origin }: QueueConfig,
  env: NodeJS.ProcessEnv,
): Bells {
  const sign = createSigner(region, "sqs");

  async function post(rung: readonly Rung[]): Promise<readonly Rung[]> {
    const Entries = rung.map(({ bell, delaySeconds }, at) => ({
      Id: String(at),
      MessageBody: JSON.stringify(bell),
      DelaySeconds: delaySeconds,
    }));
    const body = JSON.stringify({ QueueUrl: url, Entries });
    const { host } = new URL(endpoint);
    const headers = sign(
      {
        host,
        contentType: "application/x-amz-json-1.0",
        target: "AmazonSQS.SendMessageBatch",
        body,
      },
      credentialsOf(env),
      Date.now(),
    );
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(endpoint, { method: "POST", headers, body, signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`The queue answered ${response.status}: ${text}`);
    const { Successful = [] } = JSON.parse(text) as Answer;
    const stored = new Set(Successful.map(({ Id }) => Id));
    return rung.filter((_, at) => !stored.has(String(at)));
  }

  async function sendSome(rung: readonly Rung[]): Promise<void> {
    let left = rung;
    for (let attempt = 1; left.length > 0; attempt++) {
      const isLast = attempt === TRIES;
      try {
        left = await post(left);
        if (isLast && left.length > 0) throw new Error("The queue did not store every message");
      } catch (error) {
        if (isLast) throw error;
      }
      if (left.length > 0) await sleep(PAUSE_MS * 2 ** attempt);
    }
  }

  return {
    async send(rung) {
      for (let from = 0; from < rung.length; from += ENTRIES_MAX) {
        await sendSome(rung.slice(from, from + ENTRIES_MAX));
      }
    },
  };
}

/** Opens the queue of a deployed function. It is undefined in a stage that does not push. */
export function queueFrom(env: NodeJS.ProcessEnv): Bells | undefined {
  const { BELLS_URL: url, AWS_REGION: region = "us-east-1", AWS_ENDPOINT_URL_SQS: endpoint } = env;
  return url ? openQueue({ url, region, ...(endpoint ? { endpoint } : {}) }, env) : undefined;
}

const credentialsOf = (env: NodeJS.ProcessEnv): Credentials => ({
  accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
  secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
  sessionToken: env.AWS_SESSION_TOKEN,
});
