import type { Delivery, PushPort } from "../../../packages/core/src/push/endpoint.ts";
import type { PushAnswer } from "../../../packages/core/src/push/push-plan.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import type { VirtualProcess, VirtualTime } from "../dynamodb/virtual-clock.ts";
import type { Plan } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
import { deliveredOf } from "./tap.ts";

/** The endpoint of all pushed subscriptions. It refuses events, is slow, or cannot be reached. */
export type Endpoint = {
  /** Returns what a process pushes with. `workerOf` names the worker that it is now. */
  portOf(process: VirtualProcess, workerOf: () => string): PushPort;
  setOut(out: boolean): void;
  /** From now on it answers soon and accepts everything. */
  calm(): void;
};

type World = {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly plan: Plan;
  readonly recorder: Recorder;
  nameOf(lifeText: string): string;
};

/** The id of a life has this many characters. What follows is the time of a restore. */
const UID_CHARS = 12;

/** Returns the life and the partition in the id of a delivery. */
function placeOf(id: string): { life: string; partition: number } {
  const [, life = "", partition] = /^(.+)_(\d+)_\d+$/.exec(id) ?? [];
  const restored = life.length > UID_CHARS ? `.${life.slice(UID_CHARS + 1)}` : "";
  return { life: life.slice(0, UID_CHARS) + restored, partition: Number(partition) };
}

export const urlOf = (subscription: string): string => `http://endpoint/${subscription}`;
const subscriptionOf = (url: string): string => url.slice(url.lastIndexOf("/") + 1);

/** Events of this key are refused for as long as the faults last. */
const BAD = "key-1";

export function createEndpoint({ time, random, plan, recorder, nameOf }: World): Endpoint {
  const { latencyMs } = plan.store;
  let faults = plan.endpoint;
  let isOut = false;

  const delayMs = (): number =>
    latencyMs * (0.5 + random.fraction()) +
    (random.chance(faults.slow) ? random.between(0, 9_000) : 0);

  /** Records that an event has arrived. Returns whether it is accepted. */
  function receive({ id, url, event }: Delivery, worker: string): boolean {
    const isBad = faults.bad && event.key === BAD;
    const accepted = !isBad && !random.chance(faults.refuses);
    const { life, partition } = placeOf(id);
    recorder.note({
      op: "delivery",
      team: subscriptionOf(url),
      life: nameOf(life),
      partition,
      event: deliveredOf(event),
      worker,
      accepted,
    });
    recorder.count(accepted ? "delivery.accepted" : "delivery.refused");
    return accepted;
  }

  const deliver = (process: VirtualProcess, worker: string, delivery: Delivery) =>
    new Promise<PushAnswer>((resolve) => {
      if (isOut) {
        recorder.count("delivery.unreachable");
        process.after(delayMs(), () => resolve({ kind: "unreachable", error: "refused" }));
        return;
      }
      const isLost = random.chance(faults.lost);
      const backMs = delayMs();
      time.after(delayMs(), () => {
        const status = receive(delivery, worker) ? 204 : random.pick([429, 500]);
        if (isLost) recorder.count("delivery.lost");
        else process.after(backMs, () => resolve({ kind: "answered", status, text: "" }));
      });
      process.after(delivery.timeoutMs, () =>
        resolve({ kind: "unreachable", error: "no answer in time", isSent: true }),
      );
    });

  return {
    portOf: (process, workerOf) => ({
      seal: {
        seal: (text) => Buffer.from(text),
        open: (sealed) => Buffer.from(sealed).toString(),
      },
      deliver: (delivery) => deliver(process, workerOf(), delivery),
      assertUrl: () => {},
    }),
    setOut: (out) => {
      isOut = out;
    },
    calm: () => {
      isOut = false;
      faults = { refuses: 0, bad: false, lost: 0, slow: 0, outages: 0 };
    },
  };
}
