import { useState } from "preact/hooks";
import { api, type StreamInfo } from "../api.ts";
import { announce } from "../parts/basics.tsx";
import { Field, FormDialog, NameField } from "../parts/dialog.tsx";

type Props = {
  /** The stream to change. Without it, a new one is created. */
  readonly stream?: StreamInfo;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

/** Creates a stream, or changes its description, its partitions, its retention and its archive. */
export function StreamDialog({ stream, onClose, onDone }: Props) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState(stream?.description ?? "");
  const [retentionHours, setRetention] = useState(String(stream?.retentionHours ?? 360));
  const [archiveDays, setArchiveDays] = useState(String(stream?.archiveDays ?? ""));
  const [archiveLock, setArchiveLock] = useState<"" | "governance" | "compliance">("");
  const [partitions, setPartitions] = useState(String(stream?.partitions ?? 1));
  const [isAuto, setAuto] = useState(stream?.autoPartitions === true);
  const [isCompacted, setCompacted] = useState(true);
  const isNew = stream === undefined;
  const save = async () => {
    const lanes = isAuto ? ("auto" as const) : Number(partitions);
    const settings = {
      description,
      retentionHours: Number(retentionHours),
      ...(archiveDays === String(stream?.archiveDays ?? "")
        ? {}
        : { archiveDays: archiveDays === "" ? null : Number(archiveDays) }),
    };
    if (isNew) {
      const compaction = isCompacted ? "key" : "none";
      await api.createStream(name, {
        ...settings,
        partitions: lanes,
        compaction,
        archiveLock: archiveLock || undefined,
      });
    } else {
      const isSame =
        isAuto === (stream.autoPartitions === true) && (isAuto || lanes === stream.partitions);
      const changes = isSame ? settings : { ...settings, partitions: lanes };
      await api.changeStream(stream.name, changes);
    }
    announce(isNew ? `The stream ${name} is created.` : `The stream ${stream.name} is changed.`);
    onDone();
  };
  return (
    <FormDialog
      title={isNew ? "Create a stream" : `Change ${stream.name}`}
      act={isNew ? "Create" : "Save"}
      onAct={save}
      onClose={onClose}
    >
      {isNew && <NameField name={name} onName={setName} />}
      <Field label="Description">
        <input value={description} onInput={(e) => setDescription(e.currentTarget.value)} />
      </Field>
      <Field
        label="Keep events for (hours)"
        hint="A longer time applies to new events. A shorter one applies to all events at once."
      >
        <input
          type="number"
          min="1"
          max="8760"
          required
          value={retentionHours}
          onInput={(e) => setRetention(e.currentTarget.value)}
        />
      </Field>
      <Field label="And then in the archive, in days" hint="Empty: the stream has no archive.">
        <input
          type="number"
          min="1"
          value={archiveDays}
          onInput={(e) => setArchiveDays(e.currentTarget.value)}
        />
      </Field>
      <Field
        label="Partitions"
        hint="Each partition adds to the rate at which the stream can be written. A stream has at most 96 over all its changes."
      >
        <input
          type="number"
          min="1"
          max="64"
          required
          disabled={isAuto}
          value={partitions}
          onInput={(e) => setPartitions(e.currentTarget.value)}
        />
      </Field>
      <label class="check">
        <input
          type="checkbox"
          checked={isAuto}
          onChange={(e) => setAuto(e.currentTarget.checked)}
        />
        More partitions by itself, when publishers wait for each other
      </label>
      {isNew && (
        <>
          <Field
            label="Lock of the archive"
            hint="A locked object cannot be deleted before its days are over. It cannot be changed later."
          >
            <select
              value={archiveLock}
              onChange={(e) => setArchiveLock(e.currentTarget.value as typeof archiveLock)}
            >
              <option value="">none</option>
              <option value="governance">
                governance: an administrator of the bucket can lift it
              </option>
              <option value="compliance">compliance: no account can lift it</option>
            </select>
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={isCompacted}
              onChange={(e) => setCompacted(e.currentTarget.checked)}
            />
            Keep the current state of every key
          </label>
        </>
      )}
    </FormDialog>
  );
}
