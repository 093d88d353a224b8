import { PROBLEMS, problemCodes } from "@eventledger/protocol";
import { page } from "./pages.ts";
import { STYLE } from "./style.ts";

const RETRY = {
  never: "No. Change the request.",
  same: "Yes. Send exactly the same request again.",
  refresh: "Yes, after reading the newer state.",
  later: "Yes, later. <code>Retry-After</code> says when.",
} as const;

/**
 * Returns the page that explains every problem code. `reference` is docs/problems.md, which has the
 * cause and the remedy of each.
 */
export function problemsPage(reference: string): string {
  const explained = new Map(
    reference.split(/^## /m).map((section) => [section.split("\n", 1)[0], causeAndRemedy(section)]),
  );
  const sections = problemCodes.map((code) => {
    const { status, title, retry } = PROBLEMS[code];
    return `<section id="${code}"><h2><code>${code}</code> <span class="status">${status}</span></h2>
<p>${title}.</p>${explained.get(code) ?? ""}<p>Retry? ${RETRY[retry]}</p></section>`;
  });
  return page(
    "EventLedger problems",
    STYLE,
    `<main class="page">
<nav aria-label="Pages"><strong>EventLedger</strong> <a href="/docs">Start</a>
<a href="/console">Console</a> <a href="/docs#operations">Operations</a></nav>
<h1>Problems</h1>
<p>Every error is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is one of
these; <code>detail</code> says what happened and what to do next.</p>
${sections.join("\n")}
</main>`,
  );
}

/** The paragraphs from the cause on, and the example. */
const causeAndRemedy = (section: string): string => paragraphs(section) + exampleOf(section);

function exampleOf(section: string): string {
  const example = /```json\n([\s\S]*?)\n *```/.exec(section)?.[1];
  if (example === undefined) return "";
  return `<details><summary>Example</summary><pre tabindex="0">${escaped(example)}</pre></details>`;
}

const paragraphs = (section: string): string =>
  (/\*\*Cause\.\*\*[\s\S]*?(?=\n```|$)/.exec(section)?.[0] ?? "")
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => `<p>${toHtml(paragraph.trim())}</p>`)
    .join("");

/** The server has no pages for links to other documents, so their text stays. */
const toHtml = (text: string): string =>
  escaped(text)
    .replace(/\[([^\]]*)\]\((#[\w-]+)\)/g, '<a href="$2">$1</a>')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`([^`]*)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]*)\*\*/g, "<strong>$1</strong>");

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
