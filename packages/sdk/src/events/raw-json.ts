/** JSON text that is published byte for byte, such as a column of an outbox. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `data: rawJson(text)` publishes the text unchanged. The text must be JSON. */
export const rawJson = (text: string): RawJson => new RawJson(text);
