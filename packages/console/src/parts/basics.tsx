import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { LedgerProblem, LedgerUnreachable } from "../../../sdk/src/errors.ts";
import { ago, clock, moment } from "../format.ts";
import { visible } from "../visible.ts";
import { useNow } from "./load.ts";

type Children = { readonly children?: ComponentChildren };

/** The last action, for the line at the bottom and for screen readers. */
export const note = signal("");

let noteTimer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string): void {
  note.value = text;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => {
    note.value = "";
  }, 6_000);
}

/** Shows a failure, with the server's message. */
export function Failure({ error }: { error: unknown }) {
  if (error === undefined) return null;
  const problem = LedgerProblem.is(error) ? error : undefined;
  const text = error instanceof Error ? error.message : String(error);
  return (
    <div class="failure" role="alert">
      {problem === undefined ? (
        <>
          {LedgerUnreachable.is(error) && (
            <p>
              The server does not answer.
              {error.maybeWritten && " What you asked for may have been done nevertheless."}
            </p>
          )}
          <p class={LedgerUnreachable.is(error) ? "soft small" : ""}>{visible(text)}</p>
        </>
      ) : (
        <>
          <p>{visible(String(problem.body.detail ?? problem.body.title ?? problem.code))}</p>
          {problem.errors.length > 0 && (
            <ul>
              {problem.errors.map(({ pointer, detail }) => (
                <li key={pointer}>
                  <code>{visible(pointer)}</code> {visible(detail)}
                </li>
              ))}
            </ul>
          )}
          <p class="soft small">
            <a href={`/docs/problems#${problem.code}`}>{problem.code}</a>
            {problem.requestId !== undefined && <> · request {visible(problem.requestId)}</>}
          </p>
        </>
      )}
    </div>
  );
}

/** Shows that the content is old, because the last request failed. */
export function Stale({ error, at }: { error: unknown; at: number }) {
  if (error === undefined || at === 0) return null;
  return (
    <p class="stale" role="status">
      No answer since {clock(new Date(at).toISOString()).slice(0, 8)}. Trying again.
    </p>
  );
}

export function Empty({ title, children }: Children & { title: string }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Shows grey bars in place of content that is loading. */
export function Skeleton({ rows = 5 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} />
      ))}
    </div>
  );
}

/** Shows the age of a moment, and the whole moment on hover. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span class="soft">never</span>;
  return (
    <time dateTime={at} title={`${moment(at)} (${at})`}>
      {ago(at, now)}
    </time>
  );
}

export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {moment(at)}
    </time>
  );
}

/** Shows a name or a key unchanged, in a font whose letters cannot be confused. */
export function Name({ children }: { children: string }) {
  return (
    <span class="name" dir="ltr">
      {visible(children)}
    </span>
  );
}

type Tone = "plain" | "good" | "warn" | "bad";

export function Tag({ tone = "plain", children }: Children & { tone?: Tone }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce("Copied.");
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy().catch(() => {})}>
      {done ? "Copied" : label}
    </button>
  );
}

/** A name with its value. A value that may be long takes the whole line. */
export type Fact = readonly [name: string, value: ComponentChildren, size?: "whole" | undefined];

/** Names with their values. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value, size = ""]) => (
        <div key={name} class={size}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Bar({ part, label }: { part: number; label: string }) {
  return <progress class="bar" max={1} value={part} aria-label={label} />;
}
