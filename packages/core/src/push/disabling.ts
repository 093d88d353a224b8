import type { AuditTrail } from "../audit/trail.ts";
import { LedgerError } from "../kernel/error.ts";
import { bareName, ownerOf } from "../model/names.ts";
import type { Disabled, PushChange, PushRow } from "../table/push.entity.ts";
import { DISABLED_BECAUSE } from "./push-plan.ts";

/** Records in the audit stream that the server disables pushes. */
export function createDisabling(audit: Pick<AuditTrail, "recordOwn">) {
  async function record({ name, subscription }: PushRow, reason: string): Promise<boolean> {
    const target = `/streams/${bareName(name)}/subscriptions/${subscription}/push`;
    try {
      await audit.recordOwn(ownerOf(name), { action: "disablePush", target, reason });
      return true;
    } catch (error) {
      if (error instanceof LedgerError) return false;
      throw error;
    }
  }

  return {
    /**
     * Records that the server disables a push. If the audit stream cannot be written, the push is
     * disabled all the same, because its endpoint must not get requests for as long as that takes.
     * The row then says that the entry is missing. Returns that change of it.
     */
    async note(
      row: PushRow,
      because: Exclude<Disabled, "asked">,
    ): Promise<Pick<PushChange, "unrecorded">> {
      return (await record(row, DISABLED_BECAUSE[because])) ? {} : { unrecorded: because };
    },

    /** Returns whether the entry was missing and is now written. */
    async recordLate(row: PushRow): Promise<boolean> {
      const { unrecorded } = row;
      if (unrecorded === undefined || unrecorded === "asked") return false;
      const late = "recorded later, because the audit stream could not be written";
      return record(row, `${DISABLED_BECAUSE[unrecorded]}; ${late}`);
    },
  };
}
