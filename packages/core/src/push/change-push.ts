import { again, retry } from "../kernel/retry.ts";
import type { PushChange, PushId, PushRow } from "../table/push.entity.ts";
import type { Table } from "../table/table.ts";
import { changedByOthers, pushNotFound } from "./push-problems.ts";

const TRIES = 5;

/** Changes a push, based on its current row. Throws `push-not-found` and `outcome-unknown`. */
export const changePush = (
  { pushes }: Pick<Table, "pushes">,
  id: PushId,
  plan: (row: PushRow) => PushChange,
): Promise<PushRow> =>
  retry<PushRow>({ tries: TRIES, giveUp: changedByOthers }, async () => {
    const row = await pushes.load(id);
    if (row === undefined) throw pushNotFound();
    return (await pushes.change(row, plan(row))) ?? again();
  });
