import { setTimeout as sleep } from "node:timers/promises";
import type { Cli, RawEvent } from "../cli.ts";
import { lineOf } from "../output/event-lines.ts";
import { plural } from "../output/words.ts";
import type { View, ViewChange, ViewStore } from "../sdk.ts";

type Progress = View<unknown>["progress"];

const LOOK_EVERY_MS = 500;
/** Loading a large stream may take long. Ctrl-C ends the wait. */
const LOADING_MS = 24 * 3_600_000;

/** Opens a view, shows its progress, and closes it when the command ends. */
export function keepView<Row, Store extends ViewStore<Row>>(
  cli: Cli,
  {
    stream,
    keyPrefix,
    store,
    toRow,
  }: {
    readonly stream: string;
    readonly keyPrefix: string | undefined;
    readonly store: Store & ViewStore<Row>;
    readonly toRow: (event: RawEvent) => Row | undefined;
  },
) {
  const { io, out } = cli;
  const server = cli.server();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const view = server.stream(stream).view<Row, Store>({
    store,
    keyPrefix,
    toRow,
    onStatus: (status, cause) => {
      if (status === "failed") failed.reject(cause);
    },
  });

  async function show(print: (progress: Progress) => string, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await out.progress(
        view.status === "stale" ? "The server does not answer ..." : print(view.progress),
      );
      await sleep(LOOK_EVERY_MS, undefined, { signal: end }).catch(() => {});
    }
    await out.progress(undefined);
  }

  return {
    view,
    /** Waits until the copy is complete. Fails at once when the server cannot be reached. */
    async ready(): Promise<void> {
      await server.admin.whoami({ signal: io.signal });
      const end = new AbortController();
      const shown = show(
        ({ phase, applied }) => `${stream}  ${phase}  ${plural(applied, "change")}`,
        end.signal,
      );
      try {
        await Promise.race([
          view.ready({ signal: io.signal, timeoutMs: LOADING_MS }),
          failed.promise,
        ]);
      } finally {
        end.abort();
        await shown;
      }
    },
    /** Keeps the copy up to date until Ctrl-C. */
    async follow(print: (progress: Progress) => string): Promise<never> {
      await Promise.race([show(print, io.signal), failed.promise]);
      throw io.signal.reason;
    },
    /** Yields each change as a line, until Ctrl-C. */
    async *lines(
      changes: AsyncIterableIterator<ViewChange<RawEvent>>,
      states: () => Iterable<[string, RawEvent]>,
    ): AsyncGenerator<string> {
      const aborted = Promise.withResolvers<never>();
      aborted.promise.catch(() => {});
      const onAbort = () => aborted.reject(io.signal.reason);
      if (io.signal.aborted) onAbort();
      io.signal.addEventListener("abort", onAbort, { once: true });
      for (;;) {
        const { value, done } = await Promise.race([
          changes.next(),
          failed.promise,
          aborted.promise,
        ]);
        if (done || value === undefined) return;
        if (value.kind === "put") yield lineOf(value.row);
        else if (value.kind === "delete") yield JSON.stringify({ key: value.key, data: null });
        else {
          // The copy was built again, so everything that was printed before is void.
          yield JSON.stringify({ reset: true });
          for (const [, event] of states()) yield lineOf(event);
        }
      }
    },
  };
}
