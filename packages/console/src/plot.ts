import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "./format.ts";

/** Draws a line of counts over time, in the colours of the page. */
export function createPlot(box: HTMLElement, data: uPlot.AlignedData, height: number): uPlot {
  const colour = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(name);
  const axis: uPlot.Axis = {
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: "12px system-ui, sans-serif",
  };
  const time: uPlot.Axis = {
    ...axis,
    space: 110,
    values: (_, splits) =>
      splits.map((seconds) => clock(new Date(seconds * 1_000).toISOString()).slice(0, 8)),
  };
  const line: uPlot.Series = {
    stroke: colour("--accent"),
    fill: colour("--accent-soft"),
    width: 2,
    points: { show: false },
  };
  return new uPlot(
    {
      width: box.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(10, most * 1.1)] } },
      axes: [time, { ...axis, size: 64 }],
      series: [{}, line],
    },
    data,
    box,
  );
}
