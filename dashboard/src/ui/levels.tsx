import { t, word } from "../i18n";
import type { RatingRow } from "../types";

export const LEVELS = [5, 4, 3, 2, 1] as const;
const POINTS: Record<number, number> = { 5: 10, 4: 8, 3: 6, 2: 0, 1: -5 };

/** Levels and mean over all rows that show theirs (n >= 5); null where none does. */
export function pool(rows: RatingRow[]): { levels: Record<number, number> | null; mean: number | null } {
  const levels: Record<number, number> = {};
  let n = 0;
  let points = 0;
  for (const row of rows) {
    for (const level of LEVELS) {
      const count = row.levels?.[level] ?? 0;
      levels[level] = (levels[level] ?? 0) + count;
      n += count;
      points += count * (POINTS[level] ?? 0);
    }
  }
  return n ? { levels, mean: points / n } : { levels: null, mean: null };
}

/** Shares of the five levels as one bar of one hue, from dark (5) to light (1). */
export function LevelBar({ levels }: { levels: Record<number, number> }) {
  const all = LEVELS.reduce((sum, level) => sum + (levels[level] ?? 0), 0);
  const text = LEVELS.map((level) => `${word("level", String(level))} ${levels[level] ?? 0}`).join(", ");
  return (
    <div class="level-bar" role="img" aria-label={`${t("rate.levels")}: ${text}`}>
      {LEVELS.map((level) => {
        const share = all ? (100 * (levels[level] ?? 0)) / all : 0;
        return share > 0 && <span key={level} class={`level-${level}`} style={{ width: `${share}%` }} />;
      })}
    </div>
  );
}
