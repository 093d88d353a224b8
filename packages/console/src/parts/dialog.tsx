import { type ComponentChildren, cloneElement, type VNode } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Failure } from "./basics.tsx";
import { useAction } from "./load.ts";

type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
};

/** A dialog. The browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // The dialog is closed while it is still in the page, so that the browser gives the focus back.
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide" : ""}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

type FormProps = {
  readonly title: string;
  /** The text of the button, such as `Create`. */
  readonly act: string;
  readonly danger?: boolean;
  readonly wide?: boolean;
  /** The text that must be typed before the button works. */
  readonly typed?: string;
  /** Does the work. If it resolves to a function, that is called once the dialog is closed. */
  readonly onAct: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
};

/** A dialog with fields and one action. It closes once the action has succeeded. */
export function FormDialog(props: FormProps) {
  const { title, act, danger = false, wide = false, typed, onAct, onClose, children } = props;
  const [text, setText] = useState("");
  const action = useAction(async () => {
    const next = await onAct();
    onClose();
    if (typeof next === "function") next();
  });
  return (
    <Dialog title={title} onClose={onClose} wide={wide}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void action.run();
        }}
      >
        {children}
        {typed !== undefined && (
          <Field label={`Type ${typed} to confirm`}>
            <input
              value={text}
              autocomplete="off"
              onInput={(e) => setText(e.currentTarget.value)}
            />
          </Field>
        )}
        <Failure error={action.error} />
        <div class="actions">
          <button type="button" class="quiet" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={danger ? "danger" : "primary"}
            aria-disabled={action.busy}
            disabled={typed !== undefined && text !== typed}
          >
            {act}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

type FieldProps = {
  readonly label: string;
  readonly hint?: string;
  /** The control. */
  readonly children: VNode<{ "aria-describedby"?: string }>;
};

/** A control with its label, and with a hint that screen readers read after the label. */
export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children */}
      <label>
        <span>{label}</span>
        {hint === undefined ? children : cloneElement(children, { "aria-describedby": id })}
      </label>
      {hint !== undefined && <small id={id}>{hint}</small>}
    </div>
  );
}

type NameProps = { readonly name: string; readonly onName: (name: string) => void };

/** The name of a new stream or subscription. */
export function NameField({ name, onName }: NameProps) {
  return (
    <Field label="Name" hint="Lower-case letters, digits, dot, dash and underscore.">
      <input
        required
        autocomplete="off"
        value={name}
        onInput={(e) => onName(e.currentTarget.value)}
      />
    </Field>
  );
}
