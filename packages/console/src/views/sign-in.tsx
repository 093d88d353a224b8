import { useEffect, useRef, useState } from "preact/hooks";
import { Field } from "../parts/dialog.tsx";
import { refusal, signIn } from "../session.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Asks for the API key. The address stays, so that a shared link opens afterwards. */
export function SignIn() {
  const [key, setKey] = useState("");
  const field = useRef<HTMLInputElement>(null);
  // When a key is refused, the person is back at this field and can type again.
  useEffect(() => field.current?.focus(), []);
  const isHere = LOOPBACK.test(location.hostname);
  return (
    <div class="card sign-in">
      <h1>Sign in</h1>
      <p class="soft">
        Paste an API key. It stays in this tab until you close it, and goes to this server only.
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.trim() !== "") void signIn(key.trim());
        }}
      >
        <Field label="API key">
          <input
            ref={field}
            type="password"
            name="key"
            autocomplete="off"
            spellcheck={false}
            data-search
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </Field>
        {refusal.value !== "" && (
          <p class="failure" role="alert">
            {refusal.value}
          </p>
        )}
        <div class="actions">
          {isHere && (
            <button type="button" class="quiet" onClick={() => void signIn("")}>
              Continue without a key
            </button>
          )}
          <button type="submit" class="primary">
            Sign in
          </button>
        </div>
      </form>
      {isHere && (
        <p class="soft small">
          On this machine, <code>npm start</code> prints a link that brings the key along, and keeps
          the key in <code>.eventledger/admin-key</code>. A server with{" "}
          <code>EVENTLEDGER_AUTH=off</code> needs none.
        </p>
      )}
    </div>
  );
}
