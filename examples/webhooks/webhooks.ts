import { createRequire } from "node:module";

/** An event to publish. */
export type DemoEvent = { readonly key: string; readonly type: string; readonly data: Payload };

type Payload = Readonly<Record<string, unknown>>;
type Definition = { readonly name: string; readonly examples: readonly Payload[] };

/**
 * Returns the 329 real GitHub webhook payloads of `@octokit/webhooks-examples` as events. The key
 * is the subject of the event (`Codertocat/Hello-World#issue/1`), and the type is what happened to
 * it (`issues.opened`).
 */
export function loadWebhooks(): DemoEvent[] {
  const definitions: Definition[] = createRequire(import.meta.url)("@octokit/webhooks-examples");
  return definitions.flatMap(({ name, examples }) =>
    examples.map((data) => ({ key: subject(data), type: eventType(name, data), data })),
  );
}

const eventType = (name: string, { action }: Payload): string =>
  typeof action === "string" ? `${name}.${action}` : name;

/**
 * The fields that may name a subject, the most specific first: an issue comment belongs to its
 * issue.
 */
const SUBJECTS = [
  ["issue", "number"],
  ["pull_request", "number"],
  ["discussion", "number"],
  ["alert", "number"],
  ["check_run", "id"],
  ["check_suite", "id"],
  ["workflow_job", "id"],
  ["workflow_run", "id"],
  ["deployment", "id"],
  ["release", "tag_name"],
  ["milestone", "number"],
  ["label", "name"],
  ["project_card", "id"],
  ["project_column", "id"],
  ["project", "number"],
  ["projects_v2_item", "id"],
  ["package", "name"],
  ["team", "slug"],
  ["security_advisory", "ghsa_id"],
] as const;

function subject(payload: Payload): string {
  for (const [kind, idField] of SUBJECTS) {
    const id = field(payload[kind], idField);
    if (id !== undefined) return `${home(payload)}#${kind}/${id}`;
  }
  const { ref } = payload;
  return typeof ref === "string" ? `${home(payload)}#ref/${ref}` : home(payload);
}

const home = (payload: Payload): string =>
  field(payload.repository, "full_name") ??
  field(payload.organization, "login") ??
  field(payload.sender, "login") ??
  "github";

function field(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found: unknown = Reflect.get(value, name);
  return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
}
