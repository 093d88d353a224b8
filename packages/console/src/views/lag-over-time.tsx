import { useEffect, useRef } from "preact/hooks";
import type UPlot from "uplot";
import { clock, count } from "../format.ts";
import { lags, type Reading } from "../samples.ts";

const ROWS = 6;

/** Shows the lag since the page was opened, as a plot and as a table. */
export function LagOverTime({ of }: { of: string }) {
  const readings = lags.of(of);
  const latest = readings.slice(-ROWS).toReversed();
  return (
    <section class="card" aria-label="Lag over time">
      <header>
        <h2>Lag since this page was opened</h2>
      </header>
      <div class="lag">
        {readings.length < 2 ? (
          <p class="plot soft">The line begins with the second reading, in a few seconds.</p>
        ) : (
          <Plot readings={readings} />
        )}
        <table>
          <thead>
            <tr>
              <th>Time</th>
              <th class="end">Events to go</th>
            </tr>
          </thead>
          <tbody>
            {latest.map(({ at, value }) => (
              <tr key={at}>
                <td>{clock(new Date(at).toISOString()).slice(0, 8)}</td>
                <td class="end">{count(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const HEIGHT = 220;

/** The code that draws plots is loaded when the first plot is shown. */
export function Plot({ readings }: { readings: readonly Reading[] }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const data = useRef<UPlot.AlignedData>([[], []]);
  data.current = [readings.map(({ at }) => at / 1_000), readings.map(({ value }) => value)];
  plot.current?.setData(data.current);
  useEffect(() => {
    let isGone = false;
    const observer = new ResizeObserver(() => {
      const width = box.current?.clientWidth ?? 0;
      if (width > 0) plot.current?.setSize({ width, height: HEIGHT });
    });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    let make: (() => void) | undefined;
    void import("../plot.ts").then(({ createPlot }) => {
      make = () => {
        plot.current?.destroy();
        if (box.current === null || isGone) return;
        plot.current = createPlot(box.current, data.current, HEIGHT);
      };
      make();
      if (box.current !== null) observer.observe(box.current);
      scheme.addEventListener("change", make);
    });
    return () => {
      isGone = true;
      observer.disconnect();
      if (make !== undefined) scheme.removeEventListener("change", make);
      plot.current?.destroy();
    };
  }, []);
  return <div class="plot" ref={box} role="img" aria-label="The table has the same numbers" />;
}
