import { useState } from "preact/hooks";
import { api, type Push } from "../api.ts";
import { announce } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { visible } from "../visible.ts";
import { SecretDialog } from "./secret.tsx";

/** A secret of an endpoint, and whether it replaces another one. */
export type NewSecret = { readonly secret: string; readonly isRotated: boolean };

type Place = { readonly stream: string; readonly name: string; readonly onClose: () => void };

type Props = Place & {
  /** The push to change. Without it, a push is set up. */
  readonly push?: Push;
  readonly onDone: () => void;
  readonly onSecret: (secret: NewSecret) => void;
};

/** Sets up the push of a subscription, or changes where it sends and how. */
export function PushDialog({ stream, name, push, onClose, onDone, onSecret }: Props) {
  const [url, setUrl] = useState(push?.url ?? "");
  const [format, setFormat] = useState<Push["format"]>(push?.format ?? "standard");
  const [concurrency, setConcurrency] = useState(String(push?.concurrency ?? 8));
  const [seconds, setSeconds] = useState(String(push?.timeoutSeconds ?? 15));
  const save = async () => {
    const set = await api.setPush(stream, name, {
      url,
      format,
      concurrency: Number(concurrency),
      timeoutSeconds: Number(seconds),
    });
    onDone();
    if ("secret" in set) return () => onSecret({ secret: set.secret, isRotated: false });
    announce(`The push of ${name} is changed.`);
  };
  return (
    <FormDialog
      title={push === undefined ? `Push ${name} to an endpoint` : "Change the endpoint"}
      act={push === undefined ? "Push" : "Save"}
      onAct={save}
      onClose={onClose}
    >
      <Field label="URL" hint="Each event is sent there as a POST, signed by Standard Webhooks.">
        <input
          type="url"
          required
          value={url}
          autocomplete="off"
          placeholder="https://shop.example/hooks/orders"
          onInput={(e) => setUrl(e.currentTarget.value)}
        />
      </Field>
      <Field label="Format of a delivery">
        <select value={format} onChange={(e) => setFormat(e.currentTarget.value as Push["format"])}>
          <option value="standard">Standard Webhooks</option>
          <option value="cloudevents">CloudEvents</option>
        </select>
      </Field>
      <Field label="Keys at the same time" hint="The events of one key are sent one after another.">
        <input
          type="number"
          min="1"
          max="64"
          required
          value={concurrency}
          onInput={(e) => setConcurrency(e.currentTarget.value)}
        />
      </Field>
      <Field label="Longest time for an answer, in seconds">
        <input
          type="number"
          min="1"
          max="30"
          required
          value={seconds}
          onInput={(e) => setSeconds(e.currentTarget.value)}
        />
      </Field>
    </FormDialog>
  );
}

type RotateProps = Place & { readonly onSecret: (secret: NewSecret) => void };

/** Makes a new secret for the endpoint. */
export function RotatePushDialog({ stream, name, onClose, onSecret }: RotateProps) {
  const rotate = async () => {
    const { secret } = await api.rotatePush(stream, name);
    return () => onSecret({ secret, isRotated: true });
  };
  return (
    <FormDialog
      title={`Rotate the secret of ${name}`}
      act="Make a new secret"
      onAct={rotate}
      onClose={onClose}
    >
      <p>
        For 24 hours each delivery is signed with both secrets, so the receiver can change to the
        new one without missing an event.
      </p>
    </FormDialog>
  );
}

type EndProps = Place & { readonly push: Push; readonly onEnded: () => void };

/** Ends a push. The subscription stays. */
export function EndPushDialog({ stream, name, push, onClose, onEnded }: EndProps) {
  const end = async () => {
    await api.endPush(stream, name);
    announce(`The push of ${name} is ended.`);
    onEnded();
  };
  return (
    <FormDialog
      title={`End the push of ${name}`}
      act="End the push"
      danger
      onAct={end}
      onClose={onClose}
    >
      <p>
        Nothing more is sent to {visible(push.url)}, and its secret is lost. The subscription, its
        position and its parked keys stay.
      </p>
    </FormDialog>
  );
}

/** Shows the secret of an endpoint. */
export function PushSecretDialog({ of, onClose }: { of: NewSecret; onClose: () => void }) {
  return (
    <SecretDialog
      title={of.isRotated ? "The new secret" : "The secret of the endpoint"}
      secret={of.secret}
      copy="Copy the secret"
      onClose={onClose}
    >
      <p class="soft">The receiver verifies with it that a delivery comes from here.</p>
    </SecretDialog>
  );
}
