import type { Change, Found, Mark } from "../view/store.ts";

/** Keeps a copy in this process. Each start of the process builds it again. */
export function memory<Row>() {
  let mark: Mark | undefined;
  const rounds = new Map<number, Map<string, Found<Row>>>();
  return {
    load: (): Mark | undefined => mark,
    apply({ mark: next, puts, deletes, sweep }: Change<Row>): boolean {
      if ((mark?.version ?? 0) !== next.version - 1) return false;
      mark = next;
      const rows = rounds.get(next.round) ?? new Map<string, Found<Row>>();
      for (const { key, row, sequence } of puts) rows.set(key, { row, sequence });
      for (const key of deletes) rows.delete(key);
      if (sweep) rounds.clear();
      rounds.set(next.round, rows);
      return true;
    },
    get: (key: string, round: number): Found<Row> | undefined => rounds.get(round)?.get(key),
    *entries(round: number): Generator<[string, Row]> {
      for (const [key, { row }] of rounds.get(round) ?? []) yield [key, row];
    },
  };
}
