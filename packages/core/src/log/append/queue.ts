import type { Clock } from "../../kernel/clock.ts";
import type { Life } from "../../model/names.ts";
import { isUnanswered, notAnswered, streamBusy, tooManyRequests } from "./append-error.ts";
import type { AppendRequest } from "./append-plan.ts";
import { planGroups, planJoiners, resourcesOf } from "./group-plan.ts";
import { type Appended, type AppendTarget, expire, type Waiting } from "./waiting.ts";

type Deps = {
  readonly clock: Clock;
  /** How many requests may wait before the queue refuses further ones. The default is 10,000. */
  readonly waitingMax?: number;
  /** When false, every request is a group of its own, as if each had its own process. */
  readonly groupCommit?: boolean;
};

/** Appends a group. `join` returns requests that may join the group when it starts again. */
export type RunGroup = (
  group: readonly Waiting[],
  join: (group: readonly Waiting[]) => readonly Waiting[],
) => Promise<void>;

const DEADLINE_MS = 5_000;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const WAITING_MAX = 10_000;

/**
 * The waiting requests of one life in the order of arrival, and the resources held by its groups in
 * flight. Between two calls no waiting request could start: each needs a resource that a group in
 * flight holds, or that an earlier request waits for.
 */
type Queue = {
  waiting: Waiting[];
  readonly busy: Set<string>;
  /** The error of the last settled request, if it failed. */
  failure?: unknown;
};

/**
 * Admits requests and starts them in groups, so that one append is in flight per partition. A
 * request passes through these states:
 *
 * 1. refused: too many requests wait, or too many bytes
 * 2. waiting, until all of its resources are free
 * 3. settled with `stream-busy`, if its deadline passes while it waits; with `store-unavailable`,
 *    if the table does not answer the requests before it
 * 4. in flight with its group; `run` settles it
 *
 * `run` must settle every request of its group and never reject.
 */
export function createQueues(
  { clock, waitingMax = WAITING_MAX, groupCommit }: Deps,
  run: RunGroup,
) {
  const queues = new Map<Life, Queue>();
  let waitingBytes = 0;
  let waitingCount = 0;

  /**
   * Resolves once a request is appended. Throws `too-many-requests` and the errors that `run`
   * rejects it with.
   */
  async function enter(target: AppendTarget, request: AppendRequest): Promise<Appended> {
    if (waitingCount >= waitingMax || waitingBytes + request.bytes > WAITING_BYTES_MAX) {
      throw tooManyRequests();
    }
    const queue = queueOf(target.life);
    return new Promise((resolve, reject) => {
      waitingCount++;
      waitingBytes += request.bytes;
      const arrivedAt = clock.monotonic();
      const deadline = arrivedAt + DEADLINE_MS;
      queue.waiting.push({
        request,
        target,
        arrivedAt,
        deadline,
        settled: false,
        resolve(appended) {
          queue.failure = undefined;
          resolve(appended);
        },
        reject(error) {
          queue.failure = error;
          reject(error);
        },
      });
      const mustWait = resourcesOf(request).some((resource) => queue.busy.has(resource));
      if (!mustWait) startGroups(target.life, queue);
    });
  }

  function queueOf(life: Life): Queue {
    const known = groupCommit === false ? undefined : queues.get(life);
    const queue = known ?? { waiting: [], busy: new Set() };
    queues.set(life, queue);
    return queue;
  }

  function startGroups(life: Life, queue: Queue): void {
    const overdue = queue.waiting.filter(({ deadline }) => deadline <= clock.monotonic());
    take(queue, overdue);
    const isOfTable = isUnanswered(queue.failure);
    expire(overdue, clock.monotonic(), isOfTable ? () => notAnswered(queue.failure) : streamBusy);
    for (const group of planGroups(queue.waiting, queue.busy)) {
      take(queue, group);
      const held = group.flatMap(({ request }) => resourcesOf(request));
      for (const resource of held) queue.busy.add(resource);
      void run(group, (live) => join(queue, live, held)).finally(() => {
        for (const resource of held) queue.busy.delete(resource);
        startGroups(life, queue);
        if (queue.waiting.length === 0 && queue.busy.size === 0) queues.delete(life);
      });
    }
  }

  /** While a group restarts, requests that arrived in the meantime can join it. */
  function join(queue: Queue, live: readonly Waiting[], held: string[]): readonly Waiting[] {
    if (live.length === 0) return [];
    const joiners = planJoiners(live, queue.waiting, queue.busy);
    take(queue, joiners);
    for (const { request } of joiners) {
      const others = resourcesOf(request).slice(1);
      for (const resource of others) queue.busy.add(resource);
      held.push(...others);
    }
    return joiners;
  }

  function take(queue: Queue, group: readonly Waiting[]): void {
    if (group.length === 0) return;
    const taken = new Set(group);
    queue.waiting = queue.waiting.filter((item) => !taken.has(item));
    for (const { request } of group) {
      waitingCount--;
      waitingBytes -= request.bytes;
    }
  }

  return { enter };
}
