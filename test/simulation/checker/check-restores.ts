import type { Chains, Report } from "./chains.ts";
import type { Failed, Invoke, Page } from "./history.ts";
import { emptyView, type View } from "./views.ts";

type Known = { readonly chains: Chains; readonly report: Report };
type Read = Invoke & { op: "read" };

/**
 * Returns the view that a page is added to when a restore lies between the two. A reader that
 * continues with an earlier cursor holds no lost event, or the cursor would have been refused. A
 * reader that asks for the committed offset learns from the life that its view is void.
 */
export function goOnAfterRestore(
  { chains, report }: Known,
  view: View,
  { after, place, session }: Read,
  { life, atMs }: Page & { readonly atMs: number },
): View {
  if (view.life === undefined || view.life === life) return view;
  const common = chains.restores.common(view.life, life);
  if (common === undefined) return view;
  if (after === undefined && place === undefined) {
    return { ...emptyView(), resumed: true, kept: view.kept };
  }
  const lost = view.reached.findIndex((next, partition) => next > common(partition));
  const key = [...view.keys].find(([, each]) => each.sequence >= common(each.partition));
  if (lost !== -1 || key !== undefined) {
    const held = key === undefined ? `partition ${lost}` : `key ${key[0]}`;
    report("silent-restore", atMs, `${session} of ${view.life} reads on in ${life}: ${held}`);
    return { ...emptyView(), resumed: true };
  }
  return { ...view, life };
}

/**
 * Checks that a cursor works if a restore kept everything that it covers. A cursor that covers a
 * lost event must be refused for that reason, unless another reason has priority.
 */
export function checkRefusal(
  { chains, report }: Known,
  view: View,
  { after, atMs: invokedAtMs, session }: Read,
  { atMs, reason, call }: Failed,
): void {
  const { life = "" } = view;
  const present = chains.restores.presentOf(life, atMs);
  if (after === undefined || present === undefined || !chains.knows(life)) return;
  const what = `read ${call} of ${session}, of ${life} in ${present}`;
  const isOver = !chains.restores.isThere(present, invokedAtMs, invokedAtMs);
  if (isOver) return;
  const common = chains.restores.common(life, present);
  const isLost = after.some((next, partition) => next > (common?.(partition) ?? 1));
  const isSnapshot = view.begunAtMs < Infinity;
  if (reason === "restored" && !isLost && !isSnapshot && chains.restores.isPast(life, present)) {
    report("wrong-refusal", atMs, `${what}: everything up to ${after} was kept`);
  }
  const isOfStream = view.subscription === undefined;
  if (life !== present && isLost && isOfStream && reason !== "restored") {
    report("wrong-refusal", atMs, `${what}: ${reason}, and ${after} is lost`);
  }
}
