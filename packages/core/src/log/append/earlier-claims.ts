import type { Clock } from "../../kernel/clock.ts";
import {
  chainIn,
  endOfChain,
  epochAt,
  epochsOf,
  type Partitioned,
  TurnReached,
} from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Receipt, ReceiptRow } from "../../table/receipt.entity.ts";
import type { Table } from "../../table/table.ts";
import type { AppendRequest } from "./append-plan.ts";
import { type ClaimRow, endAfter, isClaim, isVoid, readClaim, rowsOfPage } from "./claim-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock };

/** A partition in which a request is to be written, in a view of the stream. */
type Place = { readonly view: Partitioned; readonly partition: number };

/** Finds the claims of a stream that has had other partitions, in its earlier epochs. */
export function createEarlierClaims({ table, clock }: Deps) {
  /** The claims of earlier epochs that the receipts of these requests take the place of. */
  const replaced = new WeakMap<AppendRequest, Uint8Array>();

  /** Returns the id of the claim that the receipt of a request must take the place of. */
  const replacedBy = (request: AppendRequest): Uint8Array | undefined => replaced.get(request);

  /**
   * Searches the partitions of earlier epochs in which a request with this claim may have been
   * written, up to the epoch of `partition`. All of them have ended, so what is not there will
   * never be. Returns the row of a settled claim. Throws `TurnReached` for a claim from an epoch
   * that the view lacks.
   */
  async function searchEarlier(
    life: Life,
    { drafts }: AppendRequest,
    row: ClaimRow,
    { view, partition }: Place,
  ): Promise<ReceiptRow | undefined> {
    const { first } = epochAt(view, partition);
    const claimedIn = epochAt(view, row.claimPartition);
    if (row.claimPartition >= first + epochAt(view, partition).partitions) throw new TurnReached();
    for (const epoch of epochsOf(view)) {
      if (epoch.first < claimedIn.first || epoch.first >= first) continue;
      const [chain, ...others] = new Set(drafts.map(({ key }) => chainIn(key, epoch)));
      if (chain === undefined || others.length > 0) continue;
      const from = chain === row.claimPartition ? row.claimFrom : epoch.from;
      const receipt = await findClaim(life, row, {
        chain,
        from,
        to: endOfChain(view, chain) ?? from,
      });
      if (receipt !== undefined) return { ...row, ...receipt };
    }
    return undefined;
  }

  /** Returns the receipt of a claim that a batch of a chain settles. */
  async function findClaim(
    life: Life,
    { claimId }: ClaimRow,
    { chain, from, to }: { readonly chain: number; readonly from: number; readonly to: number },
  ): Promise<Receipt | undefined> {
    let at = from;
    for (let page = 0; at < to; page++) {
      const { batches, more } = await table.batches.loadFrom(life, chain, at, rowsOfPage(page));
      for (const batch of batches) {
        const receipt = readClaim(chain, batch, claimId);
        if (receipt !== undefined) return receipt;
      }
      if (!more) return undefined;
      at = endAfter(batches.at(-1), at);
    }
    return undefined;
  }

  /**
   * Prepares a request that is written together with its receipt, in a stream with several epochs.
   * Returns the row of its key if the key is settled, or belongs to a different request.
   */
  async function adopt(
    life: Life,
    { request }: { readonly request: AppendRequest },
    view: Partitioned,
  ): Promise<ReceiptRow | undefined> {
    const { idempotency, partitions } = request;
    if (idempotency === undefined) return undefined;
    const row = await table.receipts.load(life, idempotency.key);
    if (row === undefined || !isClaim(row)) return row;
    if (row.requestHash !== idempotency.requestHash && !isVoid(row, clock.now())) return row;
    const partition = Math.max(...partitions);
    const settled = await searchEarlier(life, request, row, { view, partition });
    if (settled !== undefined) return settled;
    if (epochAt(view, row.claimPartition).first === epochAt(view, partition).first) return row;
    replaced.set(request, row.claimId);
    return undefined;
  }

  return { searchEarlier, adopt, replacedBy };
}
