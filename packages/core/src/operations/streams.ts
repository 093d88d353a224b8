import type { CreateStream, PatchStream, Stream, StreamInfo } from "@eventledger/protocol";
import { type Bounds, coversDelivery, nameRangesOf } from "../access/permission.ts";
import type { StatsPage } from "../kernel/list-page.ts";
import type { Tenant } from "../model/names.ts";
import { describeStream, toStream } from "../status/stream-info.ts";
import { listStreams } from "../status/stream-list.ts";
import { loadLags } from "../status/subscription-lags.ts";
import type { Ended } from "../stream/archive-settings.ts";
import type { Parts } from "./parts.ts";

/** Creates, lists, describes, changes and deletes streams. */
export function streamOperations(parts: Parts) {
  const { streams } = parts;
  return {
    async createStream(
      tenant: Tenant,
      config: CreateStream,
    ): Promise<{ stream: Stream; created: boolean }> {
      await parts.room.assertForStream(tenant, config.name);
      const { stream, created } = await streams.create(tenant, config);
      return { stream: toStream(stream), created };
    },

    /** Lists those of the tenant's streams that the globs cover. */
    listStreams: (tenant: Tenant, page: StatsPage, globs: readonly string[] = ["*"]) =>
      listStreams(parts, tenant, page, nameRangesOf(globs)),

    /** Describes a stream with those of its subscriptions that are within the bounds. */
    async getStream(tenant: Tenant, name: string, bounds: Bounds = {}): Promise<StreamInfo> {
      return streams.useNow(tenant, name, async (stream) => {
        const [info, lags] = await Promise.all([
          describeStream(parts, stream),
          loadLags(parts, stream, (row) => coversDelivery(bounds, row)),
        ]);
        return { ...info, subscriptions: lags };
      });
    },

    /**
     * Changes settings, and then the number of partitions. Returns when the stream is written to
     * the new partitions. If the partitions cannot be changed, it changes nothing. With `auto` they
     * stay as they are until writers wait for each other.
     */
    async patchStream(tenant: Tenant, name: string, changes: PatchStream): Promise<Stream> {
      const { partitions } = changes;
      if (partitions === undefined || partitions === "auto") {
        return toStream(await streams.patch(tenant, name, changes));
      }
      await streams.assertMayResize(tenant, name, partitions);
      await streams.patch(tenant, name, changes);
      return toStream(await streams.resize(tenant, name, partitions));
    },

    deleteStream: (tenant: Tenant, name: string): Promise<Ended> => streams.end(tenant, name),
  };
}
