import { signal } from "@preact/signals";

export const showsShortcuts = signal(false);

export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["/", "Search or filter"],
  ["j, k", "Next, previous"],
  ["Enter", "Open"],
  ["Escape", "Close"],
  ["p", "Publish an event, in a stream"],
  ["l", "Pause or resume the live events"],
  ["?", "Show this list"],
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches("input, select, textarea, dialog *");

/** Handles the keys that work in every view. A view marks its parts with `data-` attributes. */
export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || isTyping(target)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    if (perform(key)) event.preventDefault();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

function perform(key: string): boolean {
  if (key === "/") return focus("[data-search]");
  if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
  if (key === "p" || key === "l") return press(`[data-shortcut="${key}"]`);
  if (key !== "?") return false;
  showsShortcuts.value = true;
  return true;
}

function focus(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  return element !== null;
}

function press(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.click();
  return element !== null;
}

/** Moves to the next row of a table, or into the list of the view. */
function move(by: 1 | -1): boolean {
  const list = document.querySelector<HTMLElement>("[role=grid]");
  if (list !== null && document.activeElement !== list) {
    list.focus();
    return true;
  }
  const links = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (links.length === 0) return false;
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = at === -1 ? 0 : Math.min(links.length - 1, Math.max(0, at + by));
  links[next]?.focus();
  return true;
}
