import { word } from "../i18n";

const SHAPES: Record<string, string> = {
  critical: "M8 .8 15.200 8 8 15.200 .8 8z",
  warning: "M8 1.500 15.500 14.500H.5z",
  notice: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
  info: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z",
};

/** The sign of a severity: critical ◆, warning ▲, notice ●, info ○. Colour is never alone. */
export function Sign({ of, label = true, size = 12 }: { of: string; label?: boolean; size?: number }) {
  const name = of in SHAPES ? of : "info";
  const open = name === "info";
  return (
    <span class={`sign ${name}`}>
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <path d={SHAPES[name]} fill={open ? "none" : "currentColor"} stroke="currentColor" stroke-width={open ? 2 : 0} />
      </svg>
      {label ? <span class="sign-word">{word("sev", name)}</span> : <span class="sr">{word("sev", name)}</span>}
    </span>
  );
}

/** How many of each severity, worst first; nothing where there are none. */
export function Tally({ items }: { items: { severity: string }[] }) {
  const names = ["critical", "warning", "notice", "info"].filter((s) => items.some((i) => i.severity === s));
  return (
    <span class="tally">
      {names.map((name) => (
        <span key={name}>
          <Sign of={name} label={false} />
          {items.filter((i) => i.severity === name).length}
        </span>
      ))}
    </span>
  );
}
