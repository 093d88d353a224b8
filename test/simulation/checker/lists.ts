import type { Delivered, Invoke, ListPlace, Ok } from "./history.ts";

type ListInvoke = Invoke & { op: "list" };
type ListOk = Ok & { op: "list" };

/** What the pages of a list have shown so far. */
export type List = {
  readonly since: ListPlace["since"];
  readonly begunAtMs: number;
  /** The present life, and where the log goes on after the list, as its last page says. */
  life: string;
  follow: readonly number[];
  readonly pages: Map<string, Page>;
  lastAtMs: number;
};

type Page = { readonly part: number; readonly page: number; readonly events: readonly Delivered[] };

/** The lists of a history, by name. */
export type Lists = {
  /**
   * Adds a page. It takes the place of earlier pages: see `ListPlace`. Returns the list as it was
   * before. Undefined when the list begins with this page.
   */
  add(invoke: ListInvoke, answer: ListOk): Pick<List, "life" | "follow"> | undefined;
  of(name: string): List | undefined;
};

export const isFirstPage = ({ part, page }: ListPlace): boolean => part === 0 && page === 0;

export function createLists(): Lists {
  const lists = new Map<string, List>();
  return {
    of: (name) => lists.get(name),
    add: (invoke, { life, follow, events, atMs }) => {
      const { list: name, part, page, since, atMs: begunAtMs } = invoke;
      const fresh = { since, begunAtMs, life, follow, pages: new Map(), lastAtMs: atMs };
      const known = isFirstPage(invoke) ? undefined : lists.get(name);
      const before = known === undefined ? undefined : { life: known.life, follow: known.follow };
      const list: List = known ?? fresh;
      lists.set(name, list);
      Object.assign(list, { life, follow });
      for (const [id, read] of list.pages) {
        if (read.part === part && read.page >= page) list.pages.delete(id);
      }
      list.pages.set(`${part}/${page}`, { part, page, events });
      list.lastAtMs = atMs;
      return before;
    },
  };
}

/** Returns everything that a list has shown. */
export const shownIn = ({ pages }: List): Delivered[] =>
  [...pages.values()].flatMap(({ events }) => events);
