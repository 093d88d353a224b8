import type { Operation } from "../operation.ts";
import type { Parameter } from "./schemas.ts";

/** An operation with the facts that its links need. */
export type Linked = {
  readonly of: Operation;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** The names of the members in its answers. */
  readonly members: ReadonlySet<string>;
};

type Link = {
  readonly operationId: string;
  readonly description: string;
  readonly parameters?: Readonly<Record<string, string>>;
};

const BODY = "$response.body#/";

/**
 * Links to useful next requests that the shape of an answer does not reveal. Each description says
 * what goes into the body, because openapi-generator refuses a link whose `requestBody` is an
 * object.
 */
const NEXT: Readonly<Record<string, Readonly<Record<string, Omit<Link, "parameters">>>>> = {
  poll: {
    commit: {
      operationId: "commit",
      description:
        "Once the events of the page are processed, commit it: send its `cursor` as `cursor`.",
    },
    commitAndPoll: {
      operationId: "commitAndPoll",
      description: "Commit the page and receive the next one: send its `cursor` as `commit`.",
    },
  },
  commitAndPoll: {
    next: {
      operationId: "commitAndPoll",
      description: "Commit the page and receive the next one: send its `cursor` as `commit`.",
    },
  },
};

/** The parameters that take a cursor, each with the member of an answer that holds one. */
const FROM_CURSOR = { cursor: "cursor", from: "cursor", after: "cursor" } as const;

/**
 * Returns the links of an operation's answers: to the next page, to what the operation created, to
 * the events after its cursor, and those in `NEXT`. Path parameters that both operations have are
 * filled in.
 */
export function linksOf(operation: Linked, all: readonly Linked[]): Record<string, Link> {
  const { of, path, members, parameters } = operation;
  const links: Record<string, Link> = {};
  const add = (name: string, to: Linked, link: Omit<Link, "operationId">) => {
    links[name] = {
      operationId: to.of.id,
      ...link,
      parameters: { ...shared(operation, to), ...link.parameters },
    };
  };

  const going = parameters.find(({ name }) => name in FROM_CURSOR && members.has("cursor"));
  if (going !== undefined) {
    add("next", operation, {
      description: "The page after this one.",
      parameters: { [going.name]: `${BODY}cursor` },
    });
  }
  const browse = all.find(({ of: { id } }) => id === "browseEvents");
  const reads = of.id === "publishEvents" ? "cursor" : "follow";
  if (browse !== undefined && members.has(reads)) {
    add("follow", browse, {
      description: "Read the events after this cursor.",
      parameters: { from: `${BODY}${reads}` },
    });
  }
  for (const to of all.filter((other) => isChild(path, other.path))) {
    const named = members.has("id") ? "id" : "name";
    const isMade = 201 in of.answers && members.has(named);
    const [last = ""] = /\{\w+\}$/.exec(to.path) ?? [];
    if (!isMade || last === "") continue;
    add(to.of.id, to, {
      description: `${to.of.summary}: the one that this request created.`,
      parameters: { [last.slice(1, -1)]: `${BODY}${named}` },
    });
  }
  for (const [name, link] of Object.entries(NEXT[of.id] ?? {})) {
    const to = all.find((other) => other.of.id === link.operationId);
    if (to !== undefined) add(name, to, link);
  }
  return links;
}

const isChild = (parent: string, path: string): boolean =>
  path.startsWith(`${parent}/{`) && !path.slice(parent.length + 1).includes("/");

/** Returns the path parameters that both operations have. */
const shared = (from: Linked, to: Linked): Record<string, string> =>
  Object.fromEntries(
    to.parameters
      .filter(({ in: place }) => place === "path")
      .filter(({ name }) => from.path.includes(`{${name}}`))
      .map(({ name }) => [name, `$request.path.${name}`]),
  );
