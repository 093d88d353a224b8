/**
 * One worker process. It polls its share, processes each event by printing it, and commits. The
 * test kills and pauses it. It prints one JSON line for everything that it has done.
 */
const [, , url = "", apiKey = "", stream = "", consumer = "", wait = ""] = process.argv;
const waitSeconds = Number(wait);
const path = `${url}/streams/${stream}/subscriptions/s/poll`;

type Page = { events: { key: string; sequence: number; data: number }[]; cursor: string };

let commit: string | undefined;
for (;;) {
  const response = await fetch(path, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ consumer, limit: 20, waitSeconds, commit }),
  }).catch(() => undefined);
  if (response === undefined || response.status >= 500 || response.status === 429) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    continue;
  }
  if (response.status !== 200) {
    const { code } = (await response.json()) as { code: string };
    print({ refused: code });
    commit = undefined;
    if (code !== "lease-lost") process.exit(1);
    continue;
  }
  const page = (await response.json()) as Page;
  if (commit !== undefined) print({ committed: true });
  for (const { key, sequence, data } of page.events) print({ key, sequence, data });
  commit = page.cursor;
}

function print(done: object): void {
  process.stdout.write(`${JSON.stringify({ consumer, ...done })}\n`);
}
