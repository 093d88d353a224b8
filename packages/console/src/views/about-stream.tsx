import { useState } from "preact/hooks";
import { api, type StreamInfo } from "../api.ts";
import { bytes, count, counted, duration } from "../format.ts";
import { Ago, announce, Facts, Moment } from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { go } from "../place.ts";
import { can } from "../session.ts";
import { visible } from "../visible.ts";
import { SchemasCard } from "./schemas.tsx";
import { StreamDialog } from "./stream-dialog.tsx";
import { ArchiveLag, CompactionLag, Rate } from "./streams.tsx";

type Props = {
  readonly info: StreamInfo;
  readonly mayChange: boolean;
  readonly onChanged: () => void;
};

/** Shows what a stream holds and how it is set up. */
export function AboutStream({ info, mayChange, onChanged }: Props) {
  const [open, setOpen] = useState<"change" | "delete" | undefined>();
  const close = () => setOpen(undefined);
  const compact = async () => {
    const { done } = await api.compact(info.name);
    announce(done ? "Compaction is at the end of the stream." : "Compaction has more to do.");
    onChanged();
  };
  const remove = async () => {
    await api.deleteStream(info.name);
    announce(`The stream ${info.name} is deleted.`);
    go(["streams"]);
  };
  return (
    <>
      <section class="card" aria-label="What it holds">
        <header>
          <h2>What it holds</h2>
        </header>
        <Facts facts={holds(info)} />
      </section>
      <section class="card" aria-label="Settings">
        <header>
          <h2>Settings</h2>
          {mayChange && (
            <div class="actions">
              {info.compaction === "key" && (
                <button type="button" onClick={() => void compact()}>
                  Compact now
                </button>
              )}
              <button type="button" onClick={() => setOpen("change")}>
                Change
              </button>
              <button type="button" class="danger" onClick={() => setOpen("delete")}>
                Delete
              </button>
            </div>
          )}
        </header>
        <Facts
          facts={[
            ["Description", visible(info.description) || "none", "whole"],
            ["Events are kept for", duration(info.retentionHours * 3_600)],
            ["Archive", archiveOf(info)],
            ["Current state of keys", info.compaction === "key" ? "kept" : "not kept"],
            ["Partitions", partitionsOf(info)],
            ["Created", <Moment key="created" at={info.createdAt} />],
          ]}
        />
      </section>
      {can("read", { unbound: true }) && <SchemasCard stream={info.name} mayChange={mayChange} />}
      {open === "change" && <StreamDialog stream={info} onClose={close} onDone={onChanged} />}
      {open === "delete" && (
        <FormDialog
          title={`Delete ${info.name}`}
          act="Delete the stream"
          danger
          typed={info.name}
          onAct={remove}
          onClose={close}
        >
          <p>
            All {count(info.eventCount ?? 0)} events, the current state of all keys and{" "}
            {info.subscriptionCount ?? 0} subscriptions are deleted. This cannot be undone.
          </p>
        </FormDialog>
      )}
    </>
  );
}

const partitionsOf = (info: StreamInfo): string => {
  const { partitions, epochs = [], nextPartitions, autoPartitions } = info;
  const before = epochs.slice(0, -1).map(({ partitions: had }) => count(had));
  const changed = before.length === 0 ? "" : `, before that ${before.join(", ")}`;
  const next = nextPartitions === undefined ? "" : `, changing to ${count(nextPartitions)}`;
  const auto = autoPartitions ? ", more by itself" : "";
  return `${count(partitions)}${changed}${auto}${next}`;
};

const archiveOf = ({ archiveDays, archiveLock }: StreamInfo): string => {
  if (archiveDays === undefined) return "none";
  const lock = archiveLock === undefined ? "" : `, locked for ${archiveLock}`;
  return `${counted(archiveDays, "day")}${lock}`;
};

const holds = (info: StreamInfo) =>
  [
    ["Rate", <Rate key="rate" of={`${info.life}/${info.name}`} />],
    ["Events ever published", count(info.eventCount ?? 0)],
    ["Bytes", bytes(info.bytes ?? 0)],
    ["Oldest kept event", <Ago key="first" at={info.firstEventAt} />],
    ["Last event", <Ago key="last" at={info.lastEventAt} />],
    ["Compaction lag", <CompactionLag key="lag" stream={info} />],
    ...(info.archive === undefined
      ? []
      : ([
          ["Events in the archive", count(info.archive.events)],
          ["Bytes in the archive", bytes(info.archive.bytes)],
          ["Archive lag", <ArchiveLag key="archive" lag={info.archive.lag} />],
        ] as const)),
    ["Subscriptions", count(info.subscriptionCount ?? 0)],
  ] as const;
