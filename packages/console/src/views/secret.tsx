import type { ComponentChildren } from "preact";
import type { KeySecret } from "../api.ts";
import { CopyButton } from "../parts/basics.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { visible } from "../visible.ts";

type Props = {
  readonly title: string;
  readonly secret: string;
  /** The text of the button that copies it. */
  readonly copy: string;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** Shows a new secret. Once it is closed, nothing can show it again. */
export function SecretDialog({ title, secret, copy, onClose, children }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack">
        <p>Copy it now. It is shown only this once.</p>
        <div class="secret">{secret}</div>
        {children}
        <div class="actions">
          <CopyButton text={secret} label={copy} />
          <button type="button" class="primary" onClick={onClose}>
            I have it
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** Shows the secret of a new API key. */
export const KeySecretDialog = (of: { secret: KeySecret; onClose: () => void }) => (
  <SecretDialog
    title={`The key ${visible(of.secret.name)}`}
    secret={of.secret.apiKey}
    copy="Copy the key"
    onClose={of.onClose}
  />
);
