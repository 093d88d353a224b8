/**
 * Keeps the keyboard's focus when the focused element disappears, such as a handled row or a closed
 * panel. The focus moves to the element that the closest `data-focus-after` names, as soon as it
 * exists, and otherwise to the closest remaining part.
 */
export function keepFocus(root: HTMLElement): void {
  let around: readonly HTMLElement[] = [];
  let wanted: string | undefined;
  const onFocus = ({ target }: FocusEvent) => {
    if (!(target instanceof HTMLElement)) return;
    around = [...ancestors(target)];
    if (target.id !== "main") wanted = undefined;
  };
  const onChange = () => {
    const { activeElement, body } = document;
    const isLost = activeElement === body && around[0]?.isConnected === false;
    if (isLost) {
      wanted = around.find((one) => !one.isConnected && one.dataset.focusAfter !== undefined)
        ?.dataset.focusAfter;
    }
    const next = wanted === undefined ? null : document.querySelector<HTMLElement>(wanted);
    if (next !== null) {
      wanted = undefined;
      next.focus();
    } else if (isLost) {
      around.find((one) => one.isConnected && one.hasAttribute("tabindex"))?.focus();
    }
  };
  const onPointer = () => {
    wanted = undefined;
  };
  new MutationObserver(onChange).observe(root, { childList: true, subtree: true });
  root.addEventListener("focusin", onFocus);
  root.addEventListener("pointerdown", onPointer);
}

function* ancestors(element: HTMLElement): Generator<HTMLElement, void, void> {
  for (let one: HTMLElement | null = element; one !== null; one = one.parentElement) yield one;
}
