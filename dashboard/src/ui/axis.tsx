import { dateOf, DAY, hm } from "../format";
import { ticks } from "../live/spans";

/** The time axis of rows of stretches. */
export function TimeAxis({ from, to, most = 8 }: { from: number; to: number; most?: number }) {
  const long = to - from > 2 * DAY;
  return (
    <div class="axis" aria-hidden="true">
      {ticks(from, to, most).map((at) => (
        <span key={at} style={{ left: `${(100 * (at - from)) / (to - from)}%` }}>
          {long ? dateOf(at).slice(5) : hm(at)}
        </span>
      ))}
    </div>
  );
}

export function Grid({ from, to, most = 8 }: { from: number; to: number; most?: number }) {
  return (
    <>
      {ticks(from, to, most).map((at) => (
        <i key={at} class="grid-line" style={{ left: `${(100 * (at - from)) / (to - from)}%` }} aria-hidden="true" />
      ))}
    </>
  );
}
