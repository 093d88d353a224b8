import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { endIfRefused } from "./refused.ts";

export type Loaded<T> = {
  /** The last answer. It stays while a later request fails. */
  readonly data: T | undefined;
  readonly error: unknown;
  /** When the last answer arrived, in milliseconds of this machine's clock. */
  readonly at: number;
  reload(): void;
};

type State<T> = Omit<Loaded<T>, "reload"> & { readonly of: string };

/**
 * Loads the content of a view, and again every `everyMs` while the page is visible. `of` names the
 * content. When it changes, the previous answer is dropped.
 */
export function useLoad<T>(
  of: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Loaded<T> {
  const [state, setState] = useState<State<T>>(() => empty(of));
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // Changing `turn` causes another request.
  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        const data = await latest.current(controller.signal);
        setState({ of, data, error: undefined, at: Date.now() });
      } catch (error) {
        if (controller.signal.aborted || endIfRefused(error)) return;
        setState((former) => ({ ...(former.of === of ? former : empty<T>(of)), error }));
      }
      if (everyMs !== undefined && !controller.signal.aborted) schedule(everyMs);
    };
    const schedule = (ms: number) => {
      timer = setTimeout(() => (document.hidden ? schedule(ms) : void run()), ms);
    };
    void run();
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [of, everyMs, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...(state.of === of ? state : empty<T>(of)), reload };
}

const empty = <T>(of: string): State<T> => ({ of, data: undefined, error: undefined, at: 0 });

export type Action = {
  /** Runs the work unless it runs already. */
  run(): Promise<void>;
  readonly busy: boolean;
  readonly error: unknown;
};

/**
 * An action that a person starts with a button. Its failure stays visible until the next attempt.
 */
export function useAction(work: () => Promise<void>): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const run = async () => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (caught) {
      if (!endIfRefused(caught)) setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, error };
}

/** Returns the time of this machine. It advances every second while something shows an age. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
