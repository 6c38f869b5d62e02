import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { dateOf, DAY, hm } from "../../format";
import { useTheme } from "../../i18n";
import { ticks } from "../../live/spans";

/** A stroke or a fill: a CSS property, mixed with the card's colour to so many percent. */
export interface Ink {
  color: string;
  share?: number;
}

export interface Layer {
  label: string;
  /** Null where nothing is known: the line breaks there. */
  values: (number | null)[];
  ink: Ink;
  kind: "line" | "dashed" | "dotted" | "column" | "hollow" | "edge";
}

export interface PlotProps {
  /** Unix ms, ascending; each the begin of a step. */
  times: number[];
  step: number;
  /** Drawn in this order. */
  layers: Layer[];
  /** Filled between two layers, by their numbers. */
  band?: { high: number; low: number; ink: Ink };
  /** Hatched: [begin, end). */
  gaps?: [number, number][];
  height: number;
  alt: string;
  /** A value on the axis, whose values are `step` apart. */
  format: (value: number, step: number) => string;
  /** The words of a point, shown while it is pointed at. */
  tell: (index: number) => string;
  /** Said while nothing is pointed at. */
  quiet: string;
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const paint = ({ color, share }: Ink): string =>
  share === undefined ? css(color) : `color-mix(in srgb, ${css(color)} ${share}%, ${css("--card")})`;

const DASH = { dashed: [4, 4], dotted: [1.5, 3] } as Record<string, number[]>;

function seriesOf(layer: Layer): uPlot.Series {
  const points = { show: false };
  const stroke = paint(layer.ink);
  if (layer.kind === "column" || layer.kind === "hollow") {
    const hollow = layer.kind === "hollow";
    return {
      stroke,
      fill: hollow ? paint({ ...layer.ink, share: 16 }) : stroke,
      width: hollow ? 1.5 : 0,
      dash: hollow ? [3, 2] : undefined,
      paths: uPlot.paths.bars?.({ size: [0.64, 48] }),
      points,
    };
  }
  if (layer.kind === "edge") return { stroke: "transparent", width: 0, points };
  const lone = (u: uPlot, s: number) => u.data[s]?.some((v, i, all) => v !== null && all[i - 1] === null && all[i + 1] === null);
  return { stroke, width: layer.kind === "line" ? 1.75 : 1.25, dash: DASH[layer.kind], spanGaps: false, points: { show: lone as never, size: 4, fill: stroke } };
}

function hatch(u: uPlot, spans: [number, number][]): void {
  const { ctx, bbox } = u;
  const gap = 6 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = css("--hatch");
  ctx.lineWidth = devicePixelRatio;
  for (const [begin, end] of spans) {
    const a = Math.max(bbox.left, u.valToPos(begin, "x", true));
    const b = Math.min(bbox.left + bbox.width, u.valToPos(end, "x", true));
    if (b <= a) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(a, bbox.top, b - a, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (let x = Math.floor((a - bbox.height) / gap) * gap; x < b; x += gap) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

function options(props: PlotProps, width: number): uPlot.Options {
  const axis = { stroke: css("--faint"), ticks: { show: false }, font: "12px system-ui" };
  const { times, step } = props;
  const most = Math.max(...props.layers.flatMap((l) => l.values.filter((v) => v !== null)), 0) || 1;
  const columns = props.layers.some((l) => l.kind === "column" || l.kind === "hollow");
  const begin = times[0] ?? 0;
  const end = (times.at(-1) ?? 0) + step;
  // A column stands on its step's begin; half a step more on both sides gives it room.
  const [from, to] = columns ? [begin - step / 2, end - step / 2] : [begin, end];
  const days = step >= DAY || end - begin > 2 * DAY;
  const splits = () => {
    const all = ticks(begin, end, Math.max(2, Math.floor((width - 64) / 56)));
    return days ? all.filter((at) => hm(at) === "00:00") : all;
  };
  return {
    width,
    height: props.height,
    ms: 1,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: true, range: () => [from, to] },
      y: { range: () => [0, most * 1.08] },
    },
    bands: props.band
      ? [{ series: [props.band.high + 1, props.band.low + 1], fill: paint(props.band.ink) }]
      : undefined,
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits,
        values: (_, at) => at.map((v) => (days ? dateOf(v).slice(5) : hm(v))),
        size: 28,
      },
      {
        ...axis,
        grid: { stroke: css("--line"), width: 1 },
        size: 60,
        space: 36,
        values: (_, at, __, ___, step) => at.map((v) => props.format(v, step)),
      },
    ],
    series: [{}, ...props.layers.map(seriesOf)],
  };
}

/** Power or energy over time, with a band, columns and hatched gaps. Drawn anew when anything changes. */
export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLParagraphElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const draw = () => {
      const opts = options(props, host.clientWidth);
      opts.hooks = {
        drawClear: [(u) => props.gaps && hatch(u, props.gaps)],
        setCursor: [
          (u) => {
            const at = u.cursor.idx;
            const on = at !== null && at !== undefined && (u.cursor.left ?? -1) >= 0;
            if (tip.current) tip.current.textContent = on ? props.tell(at) : props.quiet;
          },
        ],
      };
      return new uPlot(opts, [props.times, ...props.layers.map((l) => l.values)] as uPlot.AlignedData, host);
    };
    let plot = draw();
    let width = host.clientWidth;
    const watch = new ResizeObserver(() => {
      if (host.clientWidth === width) return;
      width = host.clientWidth;
      plot.destroy();
      plot = draw();
    });
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [props.times, props.layers, props.band, props.gaps, theme, props.height]);
  return (
    <>
      <div ref={box} class="plot" role="img" aria-label={props.alt} style={{ height: `${props.height}px` }} />
      <p ref={tip} class="plot-tip" aria-hidden="true">
        {props.quiet}
      </p>
    </>
  );
}

const MARK = {
  line: "key-line",
  dashed: "key-dashed",
  dotted: "key-dotted",
  column: "key-box",
  hollow: "key-hollow",
  band: "key-box",
  gap: "key-gap",
} as const;

export interface KeyEntry {
  kind: keyof typeof MARK;
  label: string;
  ink: Ink;
}

export function Legend({ entries }: { entries: KeyEntry[] }) {
  return (
    <ul class="plot-key">
      {entries.map(({ kind, label, ink }) => (
        <li key={label}>
          <i
            class={MARK[kind]}
            aria-hidden="true"
            style={{ "--ink": ink.share === undefined ? `var(${ink.color})` : `color-mix(in srgb, var(${ink.color}) ${ink.share}%, var(--card))` }}
          />
          {label}
        </li>
      ))}
    </ul>
  );
}
