import { t } from "../../i18n";
import { live } from "../../live/stream";
import { createStore, useStore } from "../../store";

const EVERY = 2000;

/** Whether one tap has allowed it; it then sounds on every page until it is taken back. */
const allowed = createStore(false);
let audio: AudioContext | null = null;
let timer = 0;

function beep(): void {
  if (!audio) return;
  const tone = audio.createOscillator();
  const level = audio.createGain();
  level.gain.value = 0.15;
  tone.frequency.value = 880;
  tone.connect(level).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.2);
}

/** Sounds while something is unacknowledged, and stops with the last acknowledgement. */
function settle(): void {
  const wanted = allowed.get() && Object.values(live.get().alerts).some((a) => a.state === "unacknowledged");
  if (wanted === timer > 0) return;
  clearInterval(timer);
  timer = wanted ? window.setInterval(beep, EVERY) : 0;
  if (wanted) beep();
}

live.subscribe(settle);
allowed.subscribe(settle);

/** Browsers sound only after a tap. */
export function SoundSwitch() {
  const on = useStore(allowed, (a) => a);
  const toggle = () => {
    if (on) void audio?.close();
    audio = on ? null : new AudioContext();
    allowed.set(!on);
  };
  return (
    <button type="button" class="button" aria-pressed={on} onClick={toggle}>
      {t(on ? "duty.soundOn" : "duty.soundOff")}
    </button>
  );
}
