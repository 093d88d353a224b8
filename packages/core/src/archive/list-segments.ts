import { chainCount, type Partitioned } from "../model/epochs.ts";
import type { Life } from "../model/names.ts";
import type { Segment } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";
import type { VerifyPlace } from "./verify.ts";

/** A segment, with its partition. */
export type ListedSegment = Segment & { readonly partition: number };

/**
 * Returns up to `limit` segments of a stream after a place, by partition and then by sequence, and
 * the place where the list continues, if it does.
 */
export async function listSegments(
  { table }: { readonly table: Table },
  stream: Partitioned & { readonly life: Life },
  from: VerifyPlace,
  limit: number,
): Promise<{ segments: ListedSegment[]; place: VerifyPlace | undefined }> {
  const { life } = stream;
  const listed: ListedSegment[] = [];
  for (
    let { partition, after = 0 } = from;
    partition < chainCount(stream);
    partition++, after = 0
  ) {
    for (let more = true; more; ) {
      const left = limit - listed.length;
      if (left === 0) return { segments: listed, place: { partition, after } };
      const page = await table.segments.loadFrom({ life, partition }, after + 1, left);
      listed.push(...page.segments.map((segment) => ({ ...segment, partition })));
      after = page.segments.at(-1)?.first ?? after;
      more = page.more;
    }
  }
  return { segments: listed, place: undefined };
}
