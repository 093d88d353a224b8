import type { Secret } from "../api.ts";
import { CopyButton } from "../parts/basics.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { visible } from "../visible.ts";

/** Shows a new secret. Once it is closed, nothing can show it again. */
export function SecretDialog({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  return (
    <Dialog title={`The key ${visible(secret.name)}`} onClose={onClose}>
      <div class="stack">
        <p>Copy it now. It is shown only this once.</p>
        <div class="secret">{secret.apiKey}</div>
        <div class="actions">
          <CopyButton text={secret.apiKey} label="Copy the key" />
          <button type="button" class="primary" onClick={onClose}>
            I have it
          </button>
        </div>
      </div>
    </Dialog>
  );
}
