import { useState } from "preact/hooks";
import { announce, CopyButton, Failure } from "../parts/basics.tsx";
import { Dialog, Field, FormDialog } from "../parts/dialog.tsx";
import { useAction } from "../parts/load.ts";
import { visible } from "../visible.ts";
import { api, type Push, type Target } from "./api.ts";
import { momentOf } from "./moments.ts";

type UrlFormProps = {
  readonly url: string;
  readonly act: string;
  readonly onSet: (url: string) => Promise<void>;
};

export function UrlForm({ url, act, onSet }: UrlFormProps) {
  const [text, setText] = useState(url);
  const action = useAction(() => onSet(text));
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run();
      }}
    >
      <UrlField url={text} onUrl={setText} />
      <Failure error={action.error} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled={action.busy}>
          {act}
        </button>
      </div>
    </form>
  );
}

const UrlField = ({ url, onUrl }: { url: string; onUrl: (url: string) => void }) => (
  <Field label="URL" hint="Each event is sent there as a signed POST.">
    <input
      required
      type="url"
      autocomplete="off"
      placeholder="https://"
      value={url}
      onInput={(e) => onUrl(e.currentTarget.value)}
    />
  </Field>
);

type DialogProps = {
  readonly target: Target;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

export function ChangeDialog({ target, push, onClose, onDone }: DialogProps & { push: Push }) {
  const [url, setUrl] = useState(push.url);
  const { format, concurrency, timeoutSeconds } = push;
  return (
    <FormDialog
      title="Change the endpoint"
      act="Change"
      onClose={onClose}
      onAct={async () => {
        await api.setPush(target, { url, format, concurrency, timeoutSeconds });
        announce("Changed.");
        onDone();
      }}
    >
      <UrlField url={url} onUrl={setUrl} />
    </FormDialog>
  );
}

export function ReplayDialog({ target, onClose, onDone }: DialogProps) {
  const [time, setTime] = useState("");
  return (
    <FormDialog
      title="Replay"
      act="Send again"
      onClose={onClose}
      onAct={async () => {
        await api.replay(target, momentOf(time) ?? "earliest");
        announce("Sending again.");
        onDone();
      }}
    >
      <Field
        label="From"
        hint="Everything that was published then or later is sent again, in order. Without a time: everything that is kept."
      >
        <input
          type="datetime-local"
          step={1}
          value={time}
          onInput={(e) => setTime(e.currentTarget.value)}
        />
      </Field>
    </FormDialog>
  );
}

/** Shows a new secret. Once it is closed, nothing can show it again. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title="The secret of the endpoint" onClose={onClose}>
      <div class="stack">
        <p>It verifies the signatures. Copy it now: it is shown only this once.</p>
        <div class="secret">{visible(secret)}</div>
        <div class="actions">
          <CopyButton text={secret} label="Copy the secret" />
          <button type="button" class="primary" onClick={onClose}>
            I have it
          </button>
        </div>
      </div>
    </Dialog>
  );
}
