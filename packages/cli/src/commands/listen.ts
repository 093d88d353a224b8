import { setTimeout as sleep } from "node:timers/promises";
import { parsePlace, parseStart } from "../arguments.ts";
import type { Cli, RawEvent } from "../cli.ts";
import { normalise } from "../connection/target.ts";
import { lineOf } from "../output/event-lines.ts";
import { clockTime, count, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import { beforeLast } from "./read.ts";

type Flags = {
  forward: string;
  from?: string;
  key?: string;
  keyPrefix?: string;
  type?: string;
};

export function listenCommand({ program, act }: Register): void {
  program
    .command("listen <stream>")
    .description("POST each event to a local server, for development")
    .requiredOption("--forward <url>", "the server, such as http://localhost:3000/hook")
    .option("--from <place>", "where it starts, as in `el read` (default: latest)")
    .option("--key <key>", "only events of this key")
    .option("--key-prefix <text>", "only events whose keys begin with this")
    .option("--type <type>", "only events of this type")
    .addHelpText(
      "after",
      `
The body is the event as \`el read\` prints it. While the server is down, an
event is sent again after pauses of up to 5 s, and the others wait in order. An
event that the server refuses is reported, and the next one is sent. Use a
subscription if each event counts.

Examples:
  $ el listen orders --forward http://localhost:3000/hook
  $ el listen orders --forward localhost:3000 --from -5`,
    )
    .action(act<Flags>((cli, [stream], flags) => listen(cli, stream, flags)));
}

/** The result of forwarding an event. */
type Forwarded = {
  readonly sequence: number;
  readonly key: string;
  /** Null when the server did not answer. */
  readonly status: number | null;
  readonly ms: number;
  /** The number of attempts, if there was more than one. */
  readonly attempts?: number;
  readonly error?: string;
};

const TIMEOUT_MS = 15_000;
/**
 * The pause after the first attempt that does not reach the server. It doubles with each further
 * one.
 */
const PAUSE_MS = 250;
const PAUSE_MOST_MS = 5_000;

async function listen(cli: Cli, name: string, flags: Flags): Promise<void> {
  cli.about = { ...cli.about, stream: name };
  const { signal, now } = cli.io;
  const { key, keyPrefix, type } = flags;
  const address = /^https?:/.test(flags.forward) ? flags.forward : `http://${flags.forward}`;
  const url = normalise(address, "--forward");
  const stream = cli.server().stream(name);
  const start = parseStart(flags.from ?? "latest", now());
  const filter = { key, keyPrefix, type, signal };
  const from =
    "last" in start ? await beforeLast(stream, start.last, filter) : parsePlace(start.place, now());
  await cli.out.note(`Sending events of ${name} to ${url}. Ctrl-C ends.`);
  for await (const { events } of stream.readPages({ ...filter, from, follow: true })) {
    for (const event of events) {
      const forwarded = await untilReached(cli, event, { url, stream: name });
      if (cli.out.isHuman) await cli.out.text(`${describe(cli, event, forwarded)}\n`);
      else await cli.out.text(`${JSON.stringify(forwarded)}\n`);
    }
  }
}

/**
 * Sends an event until the server answers or takes too long. Later events wait, so they keep their
 * order.
 */
async function untilReached(
  cli: Cli,
  event: RawEvent,
  to: { readonly url: string; readonly stream: string },
): Promise<Forwarded> {
  const { signal } = cli.io;
  for (let attempts = 1; ; attempts += 1) {
    const { isDown, ...forwarded } = await forward(cli, event, to);
    if (!isDown) {
      if (attempts === 1) return forwarded;
      await cli.out.note(`${to.url} answers again.`);
      return { ...forwarded, attempts };
    }
    if (attempts === 1) {
      const why = `${to.url} does not answer (${forwarded.error}).`;
      await cli.out.note(`${why} Event ${event.sequence} waits and is sent again.`);
    }
    const pauseMs = Math.min(PAUSE_MOST_MS, PAUSE_MS * 2 ** (attempts - 1));
    await cli.out.progress(`attempt ${attempts + 1} in ${pauseMs} ms; Ctrl-C ends`);
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function forward(
  { io }: Cli,
  event: RawEvent,
  { url, stream }: { readonly url: string; readonly stream: string },
): Promise<Forwarded & { readonly isDown: boolean }> {
  const { sequence, key } = event;
  const began = io.now();
  const answered = (status: number | null, error?: string, isDown = false) => ({
    sequence,
    key,
    status,
    ms: Math.round(io.now() - began),
    ...(error === undefined ? {} : { error }),
    isDown,
  });
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "EventLedger-Stream": stream,
        "EventLedger-Sequence": String(sequence),
      },
      body: lineOf(event),
      redirect: "manual",
      signal: AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return answered(response.status);
  } catch (error) {
    io.signal.throwIfAborted();
    const { name, cause, message } = error as Error & { cause?: { code?: string } };
    // If the program is stopped in a debugger, it must not receive the event twice.
    if (name === "TimeoutError") return answered(null, `no answer within ${TIMEOUT_MS / 1_000} s`);
    return answered(null, cause?.code ?? message, true);
  }
}

function describe(cli: Cli, event: RawEvent, { status, ms, error }: Forwarded): string {
  const isDone = status !== null && status >= 200 && status < 300;
  const outcome = cli.out.style(isDone ? "green" : "red", String(status ?? error));
  const what = [event.type, event.key].filter((part) => part !== undefined).join(" ");
  const time = cli.out.style("dim", clockTime(event.publishedAt, cli.io.now()));
  return `${time}  ${outcome}  ${count(event.sequence)}  ${visible(what)}  ${ms} ms`;
}
