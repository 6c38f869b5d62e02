import { useEffect, useState } from "preact/hooks";
import { createStore } from "./store";

/**
 * The hall's clock, told by the gateway (`now`), carried on between two words of it.
 * A demonstration runs faster than the wall: `rate` is the speed that the gateway told, else it is
 * measured from the last two words.
 */
interface Anchor {
  hall: number;
  local: number;
  rate: number;
}

export const anchor = createStore<Anchor>({ hall: Date.now(), local: performance.now(), rate: 1 });
let told = false;

/** `now` in Unix ms as the gateway said it at this moment, and how fast it said its clock runs. */
export function tell(now: number, speed?: number, local = performance.now()): void {
  const last = anchor.get();
  const gap = local - last.local;
  let rate = speed ?? (told ? last.rate : 1);
  if (speed === undefined && told && gap >= 1500) rate = Math.min(60, Math.max(1, Math.round((now - last.hall) / gap)));
  if (!told || gap >= 1500 || rate !== last.rate) anchor.set({ hall: now, local, rate });
  told = true;
}

export function hallNow(): number {
  const { hall, local, rate } = anchor.get();
  return hall + (performance.now() - local) * rate;
}

/** The hall's time, redrawn every `every` ms. Use it in small components only. */
export function useNow(every = 1000): number {
  const [now, setNow] = useState(hallNow);
  useEffect(() => {
    const id = setInterval(() => setNow(hallNow()), every);
    return () => clearInterval(id);
  }, [every]);
  return now;
}
