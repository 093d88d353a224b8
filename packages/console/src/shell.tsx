import { useEffect, useRef } from "preact/hooks";
import iconUrl from "./icon.svg";
import { listenToKeys, SHORTCUTS, showsShortcuts } from "./keyboard.ts";
import { note, Skeleton } from "./parts/basics.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { lazy } from "./parts/lazy.tsx";
import { href, place } from "./place.ts";
import { apiKey, can, isRoot, me, signOut } from "./session.ts";
import { SignIn } from "./views/sign-in.tsx";
import { StreamsView } from "./views/streams.tsx";
import { visible } from "./visible.ts";

const StreamView = lazy(() => import("./views/stream.tsx").then((views) => views.StreamView));
const KeysView = lazy(() => import("./views/keys.tsx").then((views) => views.KeysView));
const TenantsView = lazy(() => import("./views/tenants.tsx").then((views) => views.TenantsView));
const UsageView = lazy(() => import("./views/usage.tsx").then((views) => views.UsageView));

/** The frame of every view. */
export function Shell() {
  useEffect(listenToKeys, []);
  const isIn = me.value !== undefined;
  return (
    <>
      <Top />
      <main id="main" tabIndex={-1}>
        {isIn ? <View /> : apiKey.value === undefined ? <SignIn /> : <Skeleton />}
      </main>
      <p class="note" role="status" aria-live="polite">
        {note.value}
      </p>
      {showsShortcuts.value && <Shortcuts />}
    </>
  );
}

function Top() {
  const { value: bearer } = me;
  const [section = "streams"] = place.value.path;
  const link = (name: string, label: string) => (
    <a href={href([name])} {...(section === name ? { "aria-current": "page" as const } : {})}>
      {label}
    </a>
  );
  return (
    <header class="top">
      <a class="brand" href={href([])}>
        <img src={iconUrl} alt="" />
        EventLedger
      </a>
      {bearer !== undefined && (
        <nav aria-label="Main">
          {link("streams", "Streams")}
          {can("admin") && link("keys", "Keys")}
          {isRoot() && link("tenants", "Tenants")}
          {can("admin") && link("usage", "Usage")}
          <a href="/docs">Docs</a>
        </nav>
      )}
      {bearer !== undefined && (
        <div class="who">
          <span class="wide-only">
            {isRoot() ? "admin key" : `key ${visible(bearer.keyId)}`}
            {bearer.tenant !== "default" && ` of ${visible(bearer.tenant)}`}
            {!isRoot() && `, may ${bearer.scopes.join(", ")}`}
          </span>
          <button type="button" class="quiet" onClick={signOut}>
            Sign out
          </button>
        </div>
      )}
    </header>
  );
}

function View() {
  const { path } = place.value;
  const [section = "streams", name] = path;
  useTitle(path);
  if (section === "streams" && name !== undefined) return <StreamView key={name} stream={name} />;
  if (section === "streams") return <StreamsView />;
  if (section === "keys" && can("admin")) return <KeysView />;
  if (section === "tenants" && isRoot()) return <TenantsView />;
  if (section === "usage" && can("admin")) return <UsageView />;
  return (
    <>
      <h1>There is nothing at this address</h1>
      <p class="soft">
        It may need another key. <a href={href([])}>All streams</a>
      </p>
    </>
  );
}

/** Names the view in the title, and moves the focus to a new view, as a new page would. */
function useTitle(path: readonly string[]): void {
  const view = path.join(" / ");
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = view === "" ? "EventLedger" : `${visible(view)} – EventLedger`;
    if (!isFirst.current) document.getElementById("main")?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [view]);
}

function Shortcuts() {
  const close = () => {
    showsShortcuts.value = false;
  };
  return (
    <Dialog title="Keyboard" onClose={close}>
      <div class="stack">
        <table>
          <tbody>
            {SHORTCUTS.map(([keys, what]) => (
              <tr key={keys}>
                <td>
                  <kbd>{keys}</kbd>
                </td>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div class="actions">
          <button type="button" class="primary" onClick={close}>
            Close
          </button>
        </div>
      </div>
    </Dialog>
  );
}
