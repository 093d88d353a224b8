/** The look of the portal, as the page that embeds it sets it. */

/** The colours that a theme can set. Each is a variable of the style sheet. */
const COLOURS = new Set([
  ...["paper", "card", "faint", "line", "strong-line", "ink", "soft"],
  ...["accent", "accent-ink", "accent-soft", "warn", "warn-soft", "bad", "bad-soft"],
]);

const SCHEMES: ReadonlyMap<unknown, string> = new Map([
  ["light", "light"],
  ["dark", "dark"],
  ["auto", "light dark"],
]);

const FONT = /^[\w ,"'-]{1,200}$/;
const RADIUS = /^\d{1,2}px$/;

/** A property of the root element, and its value. */
export type Declaration = readonly [property: string, value: string];

/**
 * Returns what a theme declares. Members that have an unknown name, or a value of another kind, are
 * left out: a theme can neither load anything nor reach beyond the look.
 */
export function readTheme(
  theme: Readonly<Record<string, unknown>>,
  isColour: (value: string) => boolean,
): Declaration[] {
  return Object.entries(theme).flatMap(([name, value]): Declaration[] => {
    const scheme = SCHEMES.get(value);
    if (name === "scheme") return scheme === undefined ? [] : [["color-scheme", scheme]];
    if (typeof value !== "string") return [];
    if (name === "font") return FONT.test(value) ? [["--font", value]] : [];
    if (name === "radius") return RADIUS.test(value) ? [["--radius", value]] : [];
    return COLOURS.has(name) && isColour(value) ? [[`--${name}`, value]] : [];
  });
}

/** Applies a theme to the page. */
export function applyTheme(theme: Readonly<Record<string, unknown>>): void {
  const isColour = (value: string) => CSS.supports("color", value);
  for (const [property, value] of readTheme(theme, isColour)) {
    document.documentElement.style.setProperty(property, value);
  }
}
