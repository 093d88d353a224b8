import type { Change, Found, Mark } from "../view/store.ts";

/** Keeps a copy in this process. Each start of the process builds it again. */
export function memory<Row>() {
  let mark: Mark | undefined;
  const rounds = new Map<number, Map<string, Found<Row>>>();
  const rowsOf = (round: number): Map<string, Found<Row>> => {
    const rows = rounds.get(round) ?? new Map<string, Found<Row>>();
    rounds.set(round, rows);
    return rows;
  };
  return {
    load: (): Mark | undefined => mark,
    apply(change: Change<Row>): boolean {
      if ((mark?.version ?? 0) !== change.mark.version - 1) return false;
      const rows = rowsOf(change.mark.round);
      for (const { key, row, sequence } of change.puts) rows.set(key, { row, sequence });
      for (const key of change.deletes) rows.delete(key);
      if (change.sweep) {
        for (const round of rounds.keys()) if (round < change.mark.round) rounds.delete(round);
      }
      mark = change.mark;
      return true;
    },
    get: (key: string, round: number): Found<Row> | undefined => rounds.get(round)?.get(key),
    *entries(round: number): Generator<[string, Row]> {
      for (const [key, { row }] of rounds.get(round) ?? []) yield [key, row];
    },
  };
}
