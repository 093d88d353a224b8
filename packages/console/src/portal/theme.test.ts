import { expect, it } from "vitest";
import { readTheme } from "./theme.ts";

const isColour = (value: string) => /^#[0-9a-f]{3,6}$/.test(value);

it("[portal.theme] a theme sets colours, the scheme, the font and the radius", () => {
  const theme = { accent: "#b4005a", scheme: "dark", font: "Inter, sans-serif", radius: "4px" };
  expect(readTheme(theme, isColour)).toEqual([
    ["--accent", "#b4005a"],
    ["color-scheme", "dark"],
    ["--font", "Inter, sans-serif"],
    ["--radius", "4px"],
  ]);
  expect(readTheme({ scheme: "auto" }, isColour)).toEqual([["color-scheme", "light dark"]]);
});

it("[portal.theme] everything else in a theme is left out", () => {
  const theme = {
    accent: "url(https://elsewhere.example/)",
    ink: 1,
    paper: { toString: () => "#fff" },
    display: "#fff",
    "color-scheme": "#fff",
    token: "#fff",
    scheme: "none",
    font: "x; color: red",
    radius: "100vw",
  };
  expect(readTheme(theme, isColour)).toEqual([]);
});
