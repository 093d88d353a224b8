/**
 * Characters that a reader cannot see, or that change the order of the text around them: control
 * characters, zero-width characters, direction marks and line separators.
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Replaces invisible characters by their escapes. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Returns the beginning of a text, at most `most` characters, with escapes for invisible
 * characters.
 */
export const glimpse = (text: string, most: number): string =>
  text.length <= most ? visible(text) : `${visible(text.slice(0, most))}…`;
