import { PROBLEMS, problemCodes } from "@eventledger/protocol";

/** The headers of the documentation pages. The pages load nothing from another host. */
export const docsHeaders = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
} as const;

const page = (title: string, head: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${head}
</head>
<body>
${body}
</body>
</html>
`;

export const docsPage = page(
  "EventLedger API",
  `<link rel="stylesheet" href="/docs/assets/swagger-ui.css">`,
  `<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>`,
);

/**
 * The script that starts the documentation page. It is a separate file because the Content Security
 * Policy forbids inline scripts.
 */
export const startScript = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

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

export const problemsPage = page(
  "EventLedger problems",
  STYLE,
  `<h1>Problems</h1>
<p>Every error is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is one of
these; <code>detail</code> says what happened and what to do next. <a href="/docs">API</a></p>
${problemCodes
  .map((code) => {
    const { status, title, retry } = PROBLEMS[code];
    return `<section id="${code}"><h2><code>${code}</code> <span class="status">${status}</span></h2>
<p>${title}.</p><p>Retry? ${RETRY[retry]}</p></section>`;
  })
  .join("\n")}`,
);
