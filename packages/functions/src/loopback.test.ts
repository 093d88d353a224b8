import { expect, it } from "vitest";
import { isLoopback } from "./loopback.ts";

it("only addresses of this machine are loopback addresses", () => {
  const own = [
    "localhost",
    "localhost:8080",
    "127.0.0.1",
    "127.1.2.3:1",
    "::1",
    "[::1]",
    "[::1]:80",
  ];
  expect(own.filter((host) => !isLoopback(host))).toEqual([]);
  const others = ["evil.localhost", "1127.0.0.1", "127.0.0.1.evil.com", "0.0.0.0", "::", "x[::1]"];
  expect(others.filter(isLoopback)).toEqual([]);
});
