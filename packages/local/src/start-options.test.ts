import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readStartOptions, START_HELP } from "./start-options.ts";

describe("the arguments of npm start", () => {
  it("name settings", () => {
    expect(readStartOptions([])).toEqual({ help: false, isInMemory: false, env: {} });
    expect(readStartOptions(["--memory", "--port", "4001", "--data=d"])).toEqual({
      help: false,
      isInMemory: true,
      env: { PORT: "4001", EVENTLEDGER_DATA: "d" },
    });
  });

  it.each(["--help", "-h"])("%s asks for help", (argument) => {
    expect(readStartOptions([argument]).help).toBe(true);
    expect(START_HELP).toContain(argument);
  });

  it.each([
    [["--prot", "4001"], "'--prot'"],
    [["4001"], "'4001'"],
    [["--port"], "'--port <value>'"],
    [["--memory=yes"], "'--memory'"],
  ])("are refused when they are none: %j", (args, named) => {
    expect(() => readStartOptions(args)).toThrow(named);
    expect(() => readStartOptions(args)).toThrow(/[^.]\. npm start -- --help lists the options\.$/);
  });

  it.each([
    ["--help", 0, `${START_HELP}\n`, ""],
    ["--bogus", 1, "", "error Unknown option '--bogus'. npm start -- --help lists the options.\n"],
  ])("%s starts nothing", (argument, code, printed, problem) => {
    const programs = ["on-node-24.mjs", "start.ts"].map((name) => `${import.meta.dirname}/${name}`);
    const env = { ...process.env, EVENTLEDGER_DATA: "/proc/none" };
    const started = spawnSync(process.execPath, [...programs, argument], { encoding: "utf8", env });
    const { status, stdout, stderr } = started;
    expect({ status, stdout, stderr }).toEqual({ status: code, stdout: printed, stderr: problem });
  });
});
