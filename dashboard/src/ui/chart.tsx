import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dateOf, hm, stamp } from "../format";
import { useTheme } from "../i18n";

export interface Line {
  label: string;
  /** Null where nothing is known: the line breaks there. */
  values: (number | null)[];
  /** CSS custom property of the stroke. */
  color: string;
  width?: number;
  dash?: number[];
  fill?: boolean;
}

interface ChartProps {
  /** Unix ms, ascending. */
  times: number[];
  lines: Line[];
  height: number;
  alt: string;
  /** A value; one on the axis, whose values are `step` apart. */
  format: (value: number, step?: number) => string;
}

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(props: ChartProps, width: number): uPlot.Options {
  const axis = { stroke: css("--faint"), ticks: { show: false }, font: "12px system-ui" };
  const long = (props.times.at(-1) ?? 0) - (props.times[0] ?? 0) > 2 * 86_400_000;
  return {
    width,
    height: props.height,
    ms: 1,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(1, (max || 0) * 1.1)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 64,
        values: (_, splits) => splits.map((v) => (long ? dateOf(v).slice(5) : hm(v))),
        size: 28,
      },
      {
        ...axis,
        grid: { stroke: css("--line"), width: 1 },
        size: 64,
        space: 36,
        values: (_, splits, __, ___, step) => splits.map((v) => props.format(v, step)),
      },
    ],
    series: [
      { label: "t", value: (_, v) => (v === null ? "" : stamp(v)) },
      ...props.lines.map((line) => ({
        label: line.label,
        stroke: css(line.color),
        width: line.width ?? 1.5,
        dash: line.dash,
        fill: line.fill ? `color-mix(in srgb, ${css(line.color)} 10%, transparent)` : undefined,
        spanGaps: false,
        points: { show: false },
      })),
    ],
  };
}

/** A line chart in which gaps stay gaps. Drawn anew when data, theme or width change. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const opts = options(props, host.clientWidth);
    opts.hooks = { setCursor: [(u) => tell(u, props, tip.current)] };
    const plot = new uPlot(opts, [props.times, ...props.lines.map((l) => l.values)] as uPlot.AlignedData, host);
    const watch = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: props.height }));
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [props.times, props.lines, theme, props.height]);
  return (
    <figure class="chart">
      <div ref={box} role="img" aria-label={props.alt} style={{ height: `${props.height}px` }} />
      <div ref={tip} class="chart-tip" aria-hidden="true" />
      <figcaption class="chart-legend">
        {props.lines.map((line) => (
          <span key={line.label}>
            <i style={{ borderTop: `2px ${line.dash ? "dashed" : "solid"} var(${line.color})` }} aria-hidden="true" />
            {line.label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function tell(u: uPlot, props: ChartProps, tip: HTMLDivElement | null): void {
  if (!tip) return;
  const i = u.cursor.idx;
  const at = i === null || i === undefined ? undefined : props.times[i];
  if (i === null || i === undefined || at === undefined || (u.cursor.left ?? -1) < 0) {
    tip.textContent = "";
    return;
  }
  const parts = props.lines.map((line) => {
    const v = line.values[i];
    return `${line.label} ${v === null || v === undefined ? "—" : props.format(v)}`;
  });
  tip.textContent = [stamp(at).slice(5, 16), ...parts].join("  ·  ");
}
