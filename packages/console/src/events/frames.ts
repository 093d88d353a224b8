/** A frame of an event stream. A comment has no event, but its id still counts. */
export type Frame = {
  readonly event: string | undefined;
  readonly id: string | undefined;
  /** Its lines of data, joined. Undefined without such a line. */
  readonly data: string | undefined;
};

const END = /\r?\n\r?\n/g;

/**
 * Returns a function that takes the text of an event stream piece by piece, cut anywhere, and
 * returns the frames that each piece completes.
 */
export function createFrames(): (piece: string) => Frame[] {
  let rest = "";
  return (piece) => {
    // The end of a frame may be split between two pieces, so the search begins a little before the
    // new piece.
    END.lastIndex = Math.max(0, rest.length - 3);
    rest += piece;
    const frames: Frame[] = [];
    let from = 0;
    for (let end = END.exec(rest); end !== null; end = END.exec(rest)) {
      frames.push(frameOf(rest.slice(from, end.index)));
      from = END.lastIndex;
    }
    rest = rest.slice(from);
    return frames;
  };
}

function frameOf(text: string): Frame {
  let event: string | undefined;
  let id: string | undefined;
  let data: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "id") id = value;
    else if (name === "data") data = data === undefined ? value : `${data}\n${value}`;
  }
  return { event, id, data };
}
