import { PROBLEMS, problemCodes } from "@eventledger/protocol";
import { page } from "./pages.ts";

const RETRY = {
  never: "No. Change the request.",
  same: "Yes. Send exactly the same request again.",
  refresh: "Yes, after reading the newer state.",
  later: "Yes, later. <code>Retry-After</code> says when.",
} as const;

const STYLE = `<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1f24; background: #fff; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem; } code { font-size: .95em; }
p { margin: .2rem 0; } .status { color: #57606a; font-weight: normal; }
:target { background: #fff8c5; }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117; }
  .status { color: #9198a1; } :target { background: #3a2f00; } a { color: #6cb6ff; } }
</style>`;

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
    `<h1>Problems</h1>
<p>Every error is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is one of
these; <code>detail</code> says what happened and what to do next. <a href="/docs">API</a></p>
${sections.join("\n")}`,
  );
}

/** The paragraphs from the cause on, without the example. */
const causeAndRemedy = (section: string): string =>
  (/\*\*Cause\.\*\*[\s\S]*?(?=\n```|$)/.exec(section)?.[0] ?? "")
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph) => `<p>${toHtml(paragraph.trim())}</p>`)
    .join("");

/** The server has no pages for links to other documents, so their text stays. */
const toHtml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/\[([^\]]*)\]\((#[\w-]+)\)/g, '<a href="$2">$1</a>')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`([^`]*)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]*)\*\*/g, "<strong>$1</strong>");
