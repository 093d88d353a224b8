import { describe, expect, it } from "vitest";
import { heartbeatFrame, OPENING, pageFrame, problemFrame } from "./frames.ts";

describe("frames of an event stream", () => {
  it("a page has a name, an id and its body", () => {
    expect(pageFrame("c1", '{"events":[]}')).toBe('event: page\nid: c1\ndata: {"events":[]}\n\n');
  });

  it.each(["\n", "\r", "\r\n"])("a line break %j in a body continues the data", (breaks) => {
    expect(pageFrame("c1", `[1,${breaks}${breaks}2]`)).toBe(
      "event: page\nid: c1\ndata: [1,\ndata: \ndata: 2]\n\n",
    );
  });

  it("a heartbeat moves the id without an event", () => {
    expect(heartbeatFrame("c2")).toBe(": no events\nid: c2\n\n");
  });

  it("a problem has no id", () => {
    expect(problemFrame("{}")).toBe("event: problem\ndata: {}\n\n");
  });

  it("a stream opens with the pause before a reconnection", () => {
    expect(OPENING).toBe("retry: 1000\n\n");
  });
});
